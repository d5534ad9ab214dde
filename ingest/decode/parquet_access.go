package decode

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// A randomAccess is an object that can be read at any place, as Parquet must be.
type randomAccess struct {
	*io.SectionReader
	file *os.File // in scratch; nil: the object itself could be read so
}

// accessAtRandom returns a stream as it is where it can be read at any place and
// knows its size (as *io.SectionReader and *bytes.Reader do), else a copy of it in
// the folder scratch. An error is one of reading the stream or of scratch.
func accessAtRandom(stream io.Reader, scratch string) (*randomAccess, error) {
	if r, ok := stream.(interface {
		io.ReaderAt
		Size() int64
	}); ok {
		return &randomAccess{io.NewSectionReader(r, 0, r.Size()), nil}, nil
	}
	f, err := os.CreateTemp(scratch, "parquet-*")
	if err != nil {
		return nil, fmt.Errorf("copy the Parquet file to scratch: %w", err)
	}
	r := &randomAccess{file: f}
	size, err := io.Copy(f, stream)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("copy the Parquet file to scratch: %w", err), r.Close())
	}
	r.SectionReader = io.NewSectionReader(f, 0, size)
	return r, nil
}

// Close removes the copy, if there is one.
func (r *randomAccess) Close() error {
	if r.file == nil {
		return nil
	}
	return errors.Join(r.file.Close(), os.Remove(r.file.Name()))
}
