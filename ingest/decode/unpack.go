package decode

import (
	"bufio"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// An Unpacker opens the unpacked stream of one object after another, by what its
// key ends in: .gz, .zst, or anything else for a plain one. It is not safe for
// concurrent use.
type Unpacker struct {
	in   *bufio.Reader
	gzip *gzip.Reader
	zstd *zstd.Decoder
}

// Open returns the stream in r. Damage of the packing is an error of reading it.
// An object of no bytes at all is an empty stream.
func (u *Unpacker) Open(key string, r io.Reader) io.Reader {
	if u.in == nil {
		u.in = bufio.NewReaderSize(nil, 64<<10)
	}
	u.in.Reset(r)
	switch {
	case strings.HasSuffix(key, ".gz"):
		return u.opened(u.openGzip())
	case strings.HasSuffix(key, ".zst"):
		return u.opened(u.openZstd())
	default:
		return u.in
	}
}

func (u *Unpacker) opened(r io.Reader, err error) io.Reader {
	if err != nil {
		return failed{err}
	}
	return r
}

func (u *Unpacker) openGzip() (io.Reader, error) {
	if u.gzip == nil {
		u.gzip = new(gzip.Reader)
	}
	return u.gzip, u.gzip.Reset(u.in)
}

func (u *Unpacker) openZstd() (io.Reader, error) {
	if _, err := u.in.Peek(1); err != nil {
		return nil, err
	}
	if u.zstd == nil {
		var err error
		if u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20)); err != nil {
			return nil, err
		}
	}
	return u.zstd, u.zstd.Reset(u.in)
}

// Close gives up what the last streams held.
func (u *Unpacker) Close() {
	if u.zstd != nil {
		u.zstd.Close()
	}
}

type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }
