package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Open streams the object. A connection that breaks is taken up again where it
// broke, by a request for the rest of the very version that was begun.
func (s *S3) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	r, err := s.open(ctx, key)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (s *S3) open(ctx context.Context, key string) (*s3Reader, error) {
	full, err := s.key(key)
	if err != nil {
		return nil, err
	}
	r := &s3Reader{ctx: ctx, store: s, key: key, full: full}
	if err := r.connect(); err != nil {
		return nil, err
	}
	return r, nil
}

// s3Reader reads one version of an object.
type s3Reader struct {
	ctx   context.Context // of Open: io.Reader has none
	store *S3
	key   string
	full  *string // the bucket's key

	body   io.ReadCloser
	etag   *string
	size   int64
	offset int64 // bytes read so far

	breaks  int   // since the last good stretch
	brokeAt int64 // offset of the last break
}

// goodStretch is how much must have come for the breaks before it to be forgotten.
const goodStretch = 1 << 20

// connect asks for what is still to be read.
func (r *s3Reader) connect() error {
	input := &s3.GetObjectInput{Bucket: &r.store.bucket, Key: r.full}
	if r.offset > 0 {
		input.Range, input.IfMatch = aws.String(fmt.Sprintf("bytes=%d-", r.offset)), r.etag
	}
	var out *s3.GetObjectOutput
	_, err := r.store.try(r.ctx, func() (err error) {
		out, err = r.store.client.GetObject(r.ctx, input)
		return err
	})
	switch {
	case r.offset > 0 && (statusOf(err) == http.StatusPreconditionFailed || isMissing(err)):
		return r.changed()
	case err != nil:
		return r.store.explain("read", r.key, err)
	case r.offset == 0:
		if out.ContentLength == nil {
			_ = out.Body.Close() // nothing was read
			return fmt.Errorf("read %s: the store does not say how long the object is", r.store.address(r.key))
		}
		// Nothing has been read, so an earlier answer binds to nothing.
		r.etag, r.size = out.ETag, *out.ContentLength
	case aws.ToString(out.ETag) != aws.ToString(r.etag) || !strings.HasPrefix(aws.ToString(out.ContentRange), fmt.Sprintf("bytes %d-", r.offset)):
		_ = out.Body.Close() // not what was asked for
		return r.changed()
	}
	r.body = out.Body
	return nil
}

func (r *s3Reader) changed() error {
	return fmt.Errorf("read %s: the object changed while it was being read: run the same command again", r.store.address(r.key))
}

// Read implements io.Reader.
func (r *s3Reader) Read(p []byte) (int, error) {
	for {
		n, err := r.body.Read(p)
		r.offset += int64(n)
		switch {
		case n > 0 && r.offset < r.size:
			return n, nil // what follows an error shows at the next call
		case r.offset >= r.size:
			return n, io.EOF
		case err == nil:
			return 0, nil
		}
		if err := r.resume(err); err != nil {
			return 0, err
		}
	}
}

// resume goes on after the connection broke.
func (r *s3Reader) resume(cause error) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if r.offset-r.brokeAt >= goodStretch {
		r.breaks = 0
	}
	r.breaks++
	r.brokeAt = r.offset
	if r.breaks >= r.store.options.Attempts || aws.ToString(r.etag) == "" {
		if errors.Is(cause, io.EOF) {
			cause = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("read %s: the connection broke at byte %d of %d: %w: run the same command again", r.store.address(r.key), r.offset, r.size, cause)
	}
	if err := r.store.wait(r.ctx, r.breaks); err != nil {
		return err
	}
	_ = r.body.Close() // broken
	return r.connect()
}

// Close implements io.Closer.
func (r *s3Reader) Close() error { return r.body.Close() }
