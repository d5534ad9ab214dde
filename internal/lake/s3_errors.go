package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// An s3Error is a failed request in words: what was being done to which object,
// what the store said, and what to do next. The SDK's own text is left out; its
// error is there for errors.As.
type s3Error struct {
	text  string
	cause error
}

func (e *s3Error) Error() string { return e.text }
func (e *s3Error) Unwrap() error { return e.cause }

// Is makes a refusal for want of permission fs.ErrPermission, as it is in a folder,
// and what would have passed by itself ErrUnavailable.
func (e *s3Error) Is(target error) bool {
	return target == fs.ErrPermission && codeOf(e.cause) == "AccessDenied" || target == ErrUnavailable && transient(e.cause)
}

// explain words the failure of a request. doing is a verb that the object's
// address follows. An object that is not there is ErrNotFound.
func (s *S3) explain(doing, key string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	where := doing + " " + s.address(key)
	if isMissing(err) {
		return fmt.Errorf("%s: %w", where, ErrNotFound)
	}
	said, next := s.said(err), s.next(doing, err)
	if next != "" {
		next = ": " + next
	}
	return &s3Error{where + ": " + said + next, err}
}

// said is what went wrong, as the store or the network put it.
func (s *S3) said(err error) string {
	if api := smithy.APIError(nil); errors.As(err, &api) && api.ErrorCode() != "" {
		said := api.ErrorMessage()
		if said == "" || said == "UnknownError" {
			said = http.StatusText(statusOf(err))
		}
		said = strings.TrimSuffix(said, ".") + " (" + api.ErrorCode()
		if response := (*awshttp.ResponseError)(nil); errors.As(err, &response) && response.ServiceRequestID() != "" {
			said += ", request " + response.ServiceRequestID()
		}
		return said + ")"
	}
	if status := statusOf(err); status >= 300 {
		return fmt.Sprintf("the store answered %d %s", status, http.StatusText(status))
	}
	if send := (*smithyhttp.RequestSendError)(nil); errors.As(err, &send) {
		err = send.Err
		if request := (*url.Error)(nil); errors.As(err, &request) {
			err = request.Err // without the request's address, which may hold more than the host
		}
		if silence := (*awshttp.ResponseTimeoutError)(nil); errors.As(err, &silence) {
			return fmt.Sprintf("no answer from %s: nothing came for %v", s.host(), silence.TimeoutDur)
		}
		return "no answer from " + s.host() + ": " + err.Error()
	}
	return err.Error()
}

// next is what to do about a failure, "" where only its text helps.
func (s *S3) next(doing string, err error) string {
	if send := (*smithyhttp.RequestSendError)(nil); errors.As(err, &send) {
		if name := (*net.DNSError)(nil); errors.As(err, &name) {
			return "check AWS_ENDPOINT_URL and AWS_REGION, and that this machine can resolve names"
		}
		return "check AWS_ENDPOINT_URL, and that this machine can reach the host"
	}
	region := ""
	if response := (*smithyhttp.ResponseError)(nil); errors.As(err, &response) && response.Response != nil {
		region = response.Response.Header.Get("X-Amz-Bucket-Region")
	}
	switch code := codeOf(err); {
	case code == "NoSuchBucket":
		return "make the bucket, or correct its name in the configuration"
	case code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch" || code == "InvalidToken" || code == "ExpiredToken" || code == "ExpiredTokenException":
		return "the store does not accept these credentials: renew them where AWS's tools take them from (environment, profile or role)"
	case code == "RequestTimeTooSkewed":
		return "the clock of this machine is wrong: set it, best by NTP"
	case region != "" && region != s.client.Options().Region:
		return "the bucket is in " + region + ": set AWS_REGION=" + region
	case code == "AuthorizationHeaderMalformed" || code == "PermanentRedirect":
		return "set AWS_REGION to the bucket's region"
	case code == "InvalidObjectState":
		return "the object is archived: restore it, and keep lifecycle rules off these objects"
	case code == "NotImplemented":
		return "creditmill needs a store with conditional writes (If-None-Match: *)"
	case statusOf(err) == http.StatusForbidden || code == "AccessDenied":
		return "let these credentials " + permissions[doing]
	case code == "SlowDown" || statusOf(err) >= 500:
		return "the store is overloaded or out of order: run the same command again later"
	default:
		return ""
	}
}

// permissions are the IAM actions that a request needs, by what explain calls it.
var permissions = map[string]string{
	"list":    "do s3:ListBucket on the bucket",
	"read":    "do s3:GetObject on it, and s3:ListBucket on the bucket: without that, what does not exist is refused too",
	"look at": "do s3:GetObject on it, and s3:ListBucket on the bucket: without that, what does not exist is refused too",
	"create":  "do s3:PutObject on it",
	"upload":  "do s3:PutObject and s3:AbortMultipartUpload on it",
	"copy":    "do s3:PutObject and s3:AbortMultipartUpload on it, and s3:GetObject on what is copied",
	"delete":  "do s3:DeleteObject on it",
}

// host is where requests go.
func (s *S3) host() string {
	if endpoint := s.client.Options().BaseEndpoint; endpoint != nil {
		if parsed, err := url.Parse(*endpoint); err == nil {
			return parsed.Host
		}
	}
	return "S3 in " + s.client.Options().Region
}

func (s *S3) noCredentials(cause error) error {
	text := s.String() + ": there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give this machine a role"
	if cause != nil {
		text += " (" + firstLine(cause.Error()) + ")"
	}
	return &s3Error{text, cause}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
