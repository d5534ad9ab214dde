package decode

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/creditmill/creditmill/ingest/source"
)

// An Unpacker opens the unpacked stream of one object after another, by what its
// key ends in: .gz, .zst, or anything else for a plain one. It is not safe for
// concurrent use.
type Unpacker struct {
	in   *bufio.Reader
	gzip *gzip.Reader
	zstd *zstd.Decoder
}

// Open returns the stream in r: all members of a gzip, all frames of a zstd. Damage
// of the packing is an error of reading it; what is packed in another way than its
// key says is damaged from its first byte on. An object of no bytes at all is an
// empty stream.
func (u *Unpacker) Open(key string, r io.Reader) io.Reader {
	if u.in == nil {
		u.in = bufio.NewReaderSize(nil, 64<<10)
	}
	u.in.Reset(r)
	switch source.Packed(key) {
	case ".gz":
		return opened("gzip", u.openGzip)
	case ".zst":
		return opened("zstd", u.openZstd)
	default:
		return u.in
	}
}

func opened(packing string, open func() (io.Reader, error)) io.Reader {
	r, err := open()
	if err != nil {
		r = failed{err}
	}
	return unpacking{r, packing}
}

// unpacking says of errors what they are of.
type unpacking struct {
	r       io.Reader
	packing string
}

func (u unpacking) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return n, err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, fmt.Errorf("its %s breaks off: %w", u.packing, err)
	default:
		return n, fmt.Errorf("it cannot be unpacked as %s: %w", u.packing, err)
	}
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
