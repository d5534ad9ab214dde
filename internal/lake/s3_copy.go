package lake

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	// copyParts is into how many parts the largest object is cut that is copied whole.
	copyParts = 5
	// smallestPart is S3's own limit on the parts of an object but the last.
	smallestPart = 5 << 20
)

// Copy lets the store copy the object, a large one in parts: the bytes do not leave it.
// The copy can be seen only when it is whole.
func (s *S3) Copy(ctx context.Context, key string, from Place) (linked bool, err error) {
	full, err := s.key(key)
	if err != nil {
		return false, err
	}
	source, err := copySource(from)
	if err != nil {
		return false, err
	}
	if from.Bytes <= s.options.CopyBytes {
		_, err = s.try(ctx, func() error {
			_, err := s.client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &s.bucket, Key: full, CopySource: &source})
			return err
		})
	} else {
		err = s.copyInParts(ctx, key, full, source, from.Bytes)
	}
	if err != nil && isMissing(err) {
		return false, fmt.Errorf("copy %s/%s to %s: %w", from.Store, from.Key, s.address(key), ErrNotFound)
	}
	return false, s.explain("copy", key, err)
}

func (s *S3) copyInParts(ctx context.Context, key string, full *string, source string, size int64) error {
	return s.inParts(ctx, key, full, size, max(s.options.CopyBytes/copyParts, smallestPart), func(ctx context.Context, p part) (*string, error) {
		bytes := fmt.Sprintf("bytes=%d-%d", p.from, p.from+p.length-1)
		var out *s3.UploadPartCopyOutput
		_, err := s.try(ctx, func() (err error) {
			out, err = s.client.UploadPartCopy(ctx, &s3.UploadPartCopyInput{
				Bucket: &s.bucket, Key: full, UploadId: p.upload, PartNumber: p.number, CopySource: &source, CopySourceRange: &bytes,
			})
			return err
		})
		if err != nil {
			return nil, err
		}
		if out.CopyPartResult == nil {
			return nil, errors.New("the store's answer to the copy of a part has no ETag")
		}
		return out.CopyPartResult.ETag, nil
	})
}

// copySource is what a request to copy names the object by: bucket and key, each part
// percent-encoded. A plus, which some servers take for a blank, is encoded too.
func copySource(from Place) (string, error) {
	root, remote := strings.CutPrefix(from.Store, "s3://")
	if !remote {
		return "", fmt.Errorf("%s/%s is not on S3: only what is can be copied there", from.Store, from.Key)
	}
	parts := strings.Split(root+"/"+from.Key, "/")
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(part), "+", "%2B")
	}
	return strings.Join(parts, "/"), nil
}
