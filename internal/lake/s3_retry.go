package lake

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// longestWait between two attempts.
const longestWait = 20 * time.Second

// try runs one request until it has succeeded, or failed for good, or often enough.
// It returns how many attempts there were: of all but the last the store may have
// done what it was asked.
func (s *S3) try(ctx context.Context, attempt func() error) (attempts int, err error) {
	for n := 1; ; n++ {
		err := attempt()
		if err == nil || n >= s.options.Attempts || ctx.Err() != nil || !transient(err) {
			return n, err
		}
		if err := s.wait(ctx, n); err != nil {
			return n, err
		}
	}
}

// wait waits after the nth attempt: a random part of a time that doubles, so that
// many who failed together do not come back together.
func (s *S3) wait(ctx context.Context, n int) error {
	longest := min(longestWait, s.options.Backoff<<(n-1))
	timer := time.NewTimer(rand.N(longest) + 1)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// transientCodes are the errors that a store names and that pass by themselves,
// whatever their HTTP status.
var transientCodes = []string{
	"InternalError", "OperationAborted", "RequestTimeout", "RequestTimeoutException", "ServiceUnavailable", "SlowDown",
	"ThrottledException", "Throttling", "ThrottlingException", conditionalConflict,
}

// conditionalConflict refuses a conditional write because another write of the key
// is under way: it says nothing about who will win.
const conditionalConflict = "ConditionalRequestConflict"

// transient says whether the same request may succeed if it is sent again.
func transient(err error) bool {
	if api := smithy.APIError(nil); errors.As(err, &api) && slices.Contains(transientCodes, api.ErrorCode()) {
		return true
	}
	if send := (*smithyhttp.RequestSendError)(nil); errors.As(err, &send) {
		name, certificate := (*net.DNSError)(nil), (*tls.CertificateVerificationError)(nil)
		return !errors.As(err, &certificate) && !(errors.As(err, &name) && name.IsNotFound)
	}
	response := (*smithyhttp.ResponseError)(nil)
	if !errors.As(err, &response) {
		return false // nothing was sent
	}
	switch status := response.HTTPStatusCode(); {
	case status == http.StatusNotImplemented:
		return false
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		return true
	default:
		return status < 300 // done, but the answer broke off
	}
}

// statusOf is the HTTP status of a request's failure, 0 where no answer came.
func statusOf(err error) int {
	if response := (*smithyhttp.ResponseError)(nil); errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

// codeOf is the store's name for a failure, "" where it gave none.
func codeOf(err error) string {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// isMissing says whether a request failed because there is no such object. Where
// there is no such bucket the answer has another name, except to a HEAD.
func isMissing(err error) bool {
	return statusOf(err) == http.StatusNotFound && codeOf(err) != "NoSuchBucket" && codeOf(err) != "NoSuchUpload"
}
