package lake

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

// CreateIfAbsent is one PUT with `If-None-Match: *`. The store answers 412 to all
// but the first; but after an attempt whose answer was lost, it answers 412 to the
// very writer it has obeyed. Then the object itself tells: its bytes are data, and
// it was this writer, or another that wanted the same; or they are not, and it was
// not. Who must know the difference writes bytes that nobody else writes, as a
// manifest with its run's id does.
func (s *S3) CreateIfAbsent(ctx context.Context, key string, data []byte) error {
	full, err := s.key(key)
	if err != nil {
		return err
	}
	input := &s3.PutObjectInput{
		Bucket: &s.bucket, Key: full, IfNoneMatch: aws.String("*"),
		ContentLength: aws.Int64(int64(len(data))), ContentMD5: contentMD5(md5.Sum(data)),
	}
	attempts, err := s.try(ctx, func() error {
		input.Body = bytes.NewReader(data)
		_, err := s.client.PutObject(ctx, input)
		return err
	})
	switch {
	case err == nil:
		return nil
	case statusOf(err) != http.StatusPreconditionFailed:
		return s.explain("create", key, err)
	case attempts > 1:
		return s.whoseIs(ctx, key, data)
	default:
		return fmt.Errorf("%s: %w", s.address(key), ErrExists)
	}
}

// whoseIs is nil if the object under key holds data, ErrExists if it holds other
// bytes, and any other error if that cannot be told.
func (s *S3) whoseIs(ctx context.Context, key string, data []byte) error {
	there, err := ReadAll(ctx, s, key)
	if err != nil {
		return fmt.Errorf("create %s: it is there now, but not who created it: %w", s.address(key), err)
	}
	if !bytes.Equal(there, data) {
		return fmt.Errorf("%s: %w", s.address(key), ErrExists)
	}
	return nil
}

// contentMD5 lets the store refuse a body that did not arrive as it was sent.
func contentMD5(sum [md5.Size]byte) *string {
	return aws.String(base64.StdEncoding.EncodeToString(sum[:]))
}

const (
	// uploadParts is how many parts of one file are under way at once.
	uploadParts = 4
	// maxParts is S3's own limit on the parts of an object.
	maxParts = 10000
	// abortTimeout bounds the clearing away of an upload that failed, which goes on
	// after the command was interrupted.
	abortTimeout  = 10 * time.Second
	abortAttempts = 4
)

// Upload copies the file into the bucket, a large one in parts. It can be seen only
// when it is whole; the parts of an upload that a crash cut off stay in the bucket,
// unseen, until its lifecycle rule for incomplete uploads removes them.
func (s *S3) Upload(ctx context.Context, key, file string) error {
	full, err := s.key(key)
	if err != nil {
		return err
	}
	in, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("upload %s: %w", s.address(key), err)
	}
	defer func() { _ = in.Close() }() // only read
	info, err := in.Stat()
	if err != nil {
		return fmt.Errorf("upload %s: %w", s.address(key), err)
	}
	if info.Size() <= 2*s.options.PartBytes {
		err = s.uploadWhole(ctx, full, in, info.Size())
	} else {
		err = s.uploadInParts(ctx, key, full, in, info.Size())
	}
	return s.explain("upload", key, err)
}

func (s *S3) uploadWhole(ctx context.Context, full *string, in io.ReaderAt, size int64) error {
	sum, err := md5Of(in, 0, size)
	if err != nil {
		return err
	}
	_, err = s.try(ctx, func() error {
		_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &s.bucket, Key: full, Body: io.NewSectionReader(in, 0, size), ContentLength: aws.Int64(size), ContentMD5: sum,
		})
		return err
	})
	return err
}

func md5Of(in io.ReaderAt, from, size int64) (*string, error) {
	hash := md5.New()
	if _, err := io.Copy(hash, io.NewSectionReader(in, from, size)); err != nil {
		return nil, err
	}
	return contentMD5([md5.Size]byte(hash.Sum(nil))), nil
}

func (s *S3) uploadInParts(ctx context.Context, key string, full *string, in io.ReaderAt, size int64) error {
	return s.inParts(ctx, key, full, size, s.options.PartBytes, func(ctx context.Context, p part) (*string, error) {
		sum, err := md5Of(in, p.from, p.length)
		if err != nil {
			return nil, err
		}
		var out *s3.UploadPartOutput
		_, err = s.try(ctx, func() (err error) {
			out, err = s.client.UploadPart(ctx, &s3.UploadPartInput{
				Bucket: &s.bucket, Key: full, UploadId: p.upload, PartNumber: p.number,
				Body: io.NewSectionReader(in, p.from, p.length), ContentLength: aws.Int64(p.length), ContentMD5: sum,
			})
			return err
		})
		if err != nil {
			return nil, err
		}
		return out.ETag, nil
	})
}

// A part of an object that is made of several.
type part struct {
	upload       *string
	number       *int32
	from, length int64 // bytes
}

// inParts makes an object of parts, which send stores, several at a time; it returns
// the ETag of each.
func (s *S3) inParts(ctx context.Context, key string, full *string, size, partBytes int64, send func(context.Context, part) (*string, error)) (err error) {
	var upload *s3.CreateMultipartUploadOutput
	_, err = s.try(ctx, func() (err error) {
		upload, err = s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &s.bucket, Key: full})
		return err
	})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.abort(ctx, full, upload.UploadId)
		}
	}()
	partBytes = max(partBytes, (size+maxParts-1)/maxParts)
	parts := make([]types.CompletedPart, (size+partBytes-1)/partBytes)
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(uploadParts)
	for i := range parts {
		group.Go(func() error {
			from := int64(i) * partBytes
			number := aws.Int32(int32(i) + 1) // at most maxParts
			etag, err := send(groupCtx, part{upload.UploadId, number, from, min(partBytes, size-from)})
			parts[i] = types.CompletedPart{PartNumber: number, ETag: etag}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	_, err = s.try(ctx, func() error {
		_, err := s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &s.bucket, Key: full, UploadId: upload.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		})
		return err
	})
	if err != nil && codeOf(err) != "NoSuchUpload" {
		return err
	}
	// NoSuchUpload is also the answer to an upload that an attempt before has completed.
	stored, headErr := s.head(ctx, key)
	if headErr != nil {
		return errors.Join(err, headErr)
	}
	if stored.Bytes != size {
		return fmt.Errorf("the store holds %d bytes of %d: run the same command again", stored.Bytes, size)
	}
	return nil
}

// abort removes the parts of an upload that failed, again until the store knows of
// none: a part that was on its way may arrive after the first time. What it cannot
// remove, the bucket's lifecycle rule does.
func (s *S3) abort(ctx context.Context, full, upload *string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	for n := 1; n <= abortAttempts; n++ {
		_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: full, UploadId: upload})
		if codeOf(err) == "NoSuchUpload" || s.wait(ctx, n) != nil {
			return
		}
	}
}
