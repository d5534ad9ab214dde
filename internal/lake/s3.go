package lake

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"
)

// S3 is a store under a prefix of a bucket, on AWS or on a server that speaks S3.
// It needs strong consistency and `If-None-Match: *`; `creditmill doctor` tries both.
//
// Every request is repeated here and nowhere below: the SDK's own retry would hide
// that a first attempt may have been applied, which CreateIfAbsent must know.
//
// A key with a part that starts with a dot is no object, as in a [Folder], and
// neither is one that ends with a slash: that is how consoles draw a folder.
type S3 struct {
	client  *s3.Client
	bucket  string
	prefix  string // "" or ending with a slash
	options S3Options
	fetched fetches
}

// S3Options are what an S3 store needs to know of this machine. Zero values are
// replaced by what suits S3.
type S3Options struct {
	Fetched   string        // folder that Fetch downloads to; must exist
	Attempts  int           // how often a request is tried; 6
	Backoff   time.Duration // the longest wait before the second attempt; it doubles with each; 200 ms
	Timeout   time.Duration // without a byte from the store, after which an attempt has failed; 60 s
	PartBytes int64         // of a part of a large upload, at least 5 MiB; 8 MiB: at Timeout this asks for 140 kB/s
	CopyBytes int64         // the largest object that the store copies in one request; 5 GiB, which is S3's own limit
}

func (o S3Options) withDefaults() S3Options {
	if o.Attempts == 0 {
		o.Attempts = 6
	}
	if o.Backoff == 0 {
		o.Backoff = 200 * time.Millisecond
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.PartBytes == 0 {
		o.PartBytes = 8 << 20
	}
	if o.CopyBytes == 0 {
		o.CopyBytes = 5 << 30
	}
	return o
}

// connections is how many are kept open to the store between requests.
const connections = 64

// connectTimeout is how long a host may take to accept a connection.
const connectTimeout = 10 * time.Second

// defaultRegion signs requests to a server that is not AWS and names no region.
const defaultRegion = "us-east-1"

// NewS3 returns the store of the keys under prefix in a bucket. Region, credentials
// and endpoint come from where AWS's own tools take them. The bucket is not looked
// at; credentials must be there.
func NewS3(ctx context.Context, bucket, prefix string, o S3Options) (*S3, error) {
	s := &S3{bucket: bucket, options: o.withDefaults()}
	if prefix != "" {
		s.prefix = prefix + "/"
	}
	settings, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(s.httpClient()), config.WithLogger(logging.Nop{}))
	if err != nil {
		return nil, fmt.Errorf("%s: the AWS settings cannot be read: %w", s, err)
	}
	endpoint := ""
	s.client = s3.NewFromConfig(settings, func(o *s3.Options) {
		o.Retryer = aws.NopRetryer{}
		// A checksum that S3 alone knows breaks uploads to other servers; Content-MD5 and
		// the signature over the body's SHA-256 are understood by all.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		// A clock that is wrong by so much as to be refused would be wrong in every run too.
		o.DisableClockSkewCorrection = true
		if o.BaseEndpoint != nil {
			endpoint = *o.BaseEndpoint
			o.UsePathStyle = true // what is not AWS seldom has a host name a bucket
			if o.Region == "" {
				o.Region = defaultRegion
			}
		}
	})
	if s.client.Options().Region == "" {
		return nil, fmt.Errorf("%s: there is no AWS region: set AWS_REGION, or AWS_ENDPOINT_URL for a server that is not AWS", s)
	}
	if parsed, err := url.Parse(endpoint); endpoint != "" && (err != nil || parsed.Host == "") {
		return nil, fmt.Errorf("%s: AWS_ENDPOINT_URL is no address: write it as https://host:port", s)
	}
	if settings.Credentials == nil {
		return nil, s.noCredentials(nil)
	}
	if _, err := settings.Credentials.Retrieve(ctx); err != nil {
		return nil, s.noCredentials(err)
	}
	return s, nil
}

// httpClient fails an attempt by silence, not by length: a large object takes as
// long as it takes. One connection carries one request, for the silence to be its.
func (s *S3) httpClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = connectTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConnsPerHost = connections
			t.DisableCompression = true // an object's bytes are those that are stored
			t.Protocols = new(http.Protocols)
			t.Protocols.SetHTTP1(true)
		}).
		WithReadTimeout(s.options.Timeout)
}

// String is the store as the configuration names it: s3://bucket/prefix.
func (s *S3) String() string { return strings.TrimSuffix(s.address(""), "/") }

// address names an object, or the store's root, for people.
func (s *S3) address(key string) string { return "s3://" + s.bucket + "/" + s.prefix + key }

// key is the bucket's key of an object of the store.
func (s *S3) key(key string) (*string, error) {
	if key == "" || strings.HasPrefix(key, "/") ||
		slices.ContainsFunc(strings.Split(key, "/"), func(part string) bool { return part == "." || part == ".." }) {
		return nil, fmt.Errorf("object key %q leads outside %s", key, s)
	}
	return aws.String(s.prefix + key), nil
}

// List asks for a page of objects at a time. What it knows of each, its ETag, costs
// no request of its own.
func (s *S3) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		input := &s3.ListObjectsV2Input{
			Bucket: &s.bucket, Prefix: aws.String(s.prefix + prefix),
			EncodingType: types.EncodingTypeUrl, // XML has no way to write some characters of keys
		}
		last := ""
		for {
			var page *s3.ListObjectsV2Output
			_, err := s.try(ctx, func() (err error) {
				page, err = s.client.ListObjectsV2(ctx, input)
				return err
			})
			if err != nil {
				yield(Object{}, s.explain("list", prefix, err))
				return
			}
			for _, listed := range page.Contents {
				object, err := s.listed(listed, page.EncodingType)
				if err != nil {
					yield(Object{}, err)
					return
				}
				if object.Key <= last && last != "" {
					yield(Object{}, fmt.Errorf("list %s: %q came after %q, but keys must come in the order of their bytes: use a general purpose bucket", s, object.Key, last))
					return
				}
				last = object.Key
				if isObject(object.Key) && !yield(object, nil) {
					return
				}
			}
			if !aws.ToBool(page.IsTruncated) || page.NextContinuationToken == nil {
				return
			}
			input.ContinuationToken = page.NextContinuationToken
		}
	}
}

func (s *S3) listed(o types.Object, encoding types.EncodingType) (Object, error) {
	key := aws.ToString(o.Key)
	if encoding == types.EncodingTypeUrl {
		var err error
		if key, err = url.QueryUnescape(key); err != nil {
			return Object{}, fmt.Errorf("list %s: the store's answer has a key that cannot be read: %w", s, err)
		}
	}
	return Object{Key: strings.TrimPrefix(key, s.prefix), Bytes: aws.ToInt64(o.Size), ETag: strings.Trim(aws.ToString(o.ETag), `"`)}, nil
}

// isObject says whether a key that the bucket has is an object of the store.
func isObject(key string) bool {
	return key != "" && !strings.HasSuffix(key, "/") && !strings.HasPrefix(key, ".") && !strings.Contains(key, "/.")
}

// Identity is the ETag and the size: of what was listed both are known, else a
// request asks for them. The same bytes have another ETag where they were uploaded
// in other parts.
func (s *S3) Identity(ctx context.Context, object Object) (string, error) {
	if object.ETag == "" {
		head, err := s.head(ctx, object.Key)
		if err != nil {
			return "", err
		}
		object = head
	}
	return fmt.Sprintf("etag:%s:%d", object.ETag, object.Bytes), nil
}

func (s *S3) head(ctx context.Context, key string) (Object, error) {
	full, err := s.key(key)
	if err != nil {
		return Object{}, err
	}
	var out *s3.HeadObjectOutput
	_, err = s.try(ctx, func() (err error) {
		out, err = s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: full})
		return err
	})
	if err != nil {
		return Object{}, s.explain("look at", key, err)
	}
	return Object{Key: key, Bytes: aws.ToInt64(out.ContentLength), ETag: strings.Trim(aws.ToString(out.ETag), `"`)}, nil
}

// Delete removes the object.
func (s *S3) Delete(ctx context.Context, key string) error {
	full, err := s.key(key)
	if err != nil {
		return err
	}
	_, err = s.try(ctx, func() error {
		_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: full})
		return err
	})
	if err != nil && !isMissing(err) {
		return s.explain("delete", key, err)
	}
	return nil
}
