package lake

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Clock is the store's time, to the second. A store that refuses the request tells
// it too. S3 refuses every request of a clock that is 15 minutes off.
func (s *S3) Clock(ctx context.Context) (time.Time, error) {
	var header http.Header
	_, err := s.try(ctx, func() error {
		out, err := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &s.prefix, MaxKeys: aws.Int32(1)})
		if failed := (*smithyhttp.ResponseError)(nil); errors.As(err, &failed) && failed.Response != nil {
			header = failed.Response.Header
		} else if err == nil {
			if response, ok := awsmiddleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response); ok {
				header = response.Header
			}
		}
		return err
	})
	date, dateErr := http.ParseTime(header.Get("Date"))
	switch {
	case dateErr == nil:
		return date, nil
	case err != nil:
		return time.Time{}, s.explain("list", "", err)
	default:
		return time.Time{}, fmt.Errorf("%s: the store does not say what time it is", s)
	}
}
