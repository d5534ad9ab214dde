package decode

// A Reason is why a record became no event (SPEC section 3).
type Reason string

// The reasons that decoding gives. Package ingest adds duplicate and conflict.
const (
	Malformed        Reason = "malformed"
	MissingField     Reason = "missing_field"
	BadTime          Reason = "bad_time"
	BadNumber        Reason = "bad_number"
	NegativeQuantity Reason = "negative_quantity"
	NumberOverflow   Reason = "number_overflow"
	BadID            Reason = "bad_id"
	TooLong          Reason = "too_long"
	Truncated        Reason = "truncated"
	Future           Reason = "future"
	TooOld           Reason = "too_old"
)
