package lake

import "slices"

// Entries of the tables that say what was read and what it costs.
var callEntries = []Entry{
	{
		Name:  "objects",
		About: "which log objects were read, and what came of their records",
		Row: "a reading of an object: one for each content that was taken in, and one more of the same content where " +
			"`ingest --again` found something else in it",
		Key:     []string{"source", "object", "run"},
		Order:   []string{"source", "object"},
		Changes: "belongs to no month. Counts move from one column to another when calls leave (`void`, `close`, `rerate --commit`) and when an object is read again (`ingest`)",
		Note: "For each object the sums of `events` and `rejects` over its rows are its rows in `usage` (or `account_events`) and `rejected`: " +
			"what a later run takes out moves to another column here.",
		Columns: []ColumnEntry{
			{Name: "source", Meaning: "the source that mapped it", Example: "gateway"},
			{Name: "object", Meaning: "its key: the path under `raw`", Example: "gateway/2026/10/31/calls.jsonl.gz"},
			{Name: "identity", Meaning: "`sha256:` and the hash of its content as it lies there; on S3 `etag:`, its ETag and its size", Example: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
			{Name: "bytes", Unit: "bytes", Meaning: "its size as it lies there, packed", Example: "48213"},
			{Name: "records", Unit: "records", Meaning: "= events + rejects + skipped", Example: "120"},
			{Name: "events", Unit: "records", Meaning: "calls and account events that it has given and that count still", Example: "117"},
			{Name: "rejects", Unit: "records", Meaning: "its rows in `rejected`, with its calls that were voided or found to be copies", Example: "2"},
			{Name: "skipped", Unit: "records", Meaning: "left out by `where`; a call or reject already, in an object that was read before; rejected, and read otherwise since", Example: "1"},
			{Name: "run", Unit: "run", Meaning: "the run that took it in", Example: "3"},
		},
	},
	{
		Name:    "usage",
		About:   "every call that was read and counts",
		Row:     "a call",
		Key:     []string{"source", "account", "event_id", "time"},
		KeyNote: "once the month of `time` is closed, `source`, `account`, `event_id` and that month name a call; [which copies are found](configuration.md#values)",
		Order:   []string{"account", "time", "source", "event_id"},
		Changes: "calls of a closed month can still arrive (late usage: `ingest`). They leave by `rerate --commit` where they were voided or are copies; `forget` renames accounts and keys",
		Columns: usageColumns,
	},
	{
		Name:    "rejected",
		About:   "every record that became no call and no account event, or is one no more",
		Row:     "a record that was rejected, or a call that was taken back",
		Key:     []string{"source", "object", "line"},
		KeyNote: "only while objects are written once: of one whose content changed, the call that stood at a line and was taken back, and what stands there now, may both be here",
		Order:   []string{"object", "source", "line"},
		Changes: "belongs to no month. Rows come with `ingest`, `void`, `close` and `rerate --commit` (copies, and voided calls that leave), and go when `ingest` reads the record otherwise; `gc --delete` takes the text of old ones, `forget` that of a person's",
		Columns: []ColumnEntry{
			{Name: "source", Meaning: "the source that it was read by", Example: "gateway"},
			{Name: "object", Meaning: "the key of the object that it stands in", Example: "gateway/2026/10/31/calls.jsonl.gz"},
			{Name: "line", Meaning: "the physical line in that object, from 1; of Parquet the row's number", Example: "88"},
			{Name: "byte_offset", Unit: "bytes", Null: "where the record was a call first: voided, or found by a close to be a copy", Meaning: "where its first byte is in the unpacked stream; of Parquet the row's number less 1", Example: "20151"},
			{Name: "reason", Meaning: "why: [what each means and what to do](configuration.md#rejects)", Example: "missing_field", Values: []string{
				"malformed", "missing_field", "bad_time", "bad_number", "negative_quantity", "number_overflow", "bad_id", "too_long",
				"truncated", "future", "too_old", "duplicate", "conflict", "voided",
			}},
			{Name: "detail", Meaning: "what is wrong, for a person; `forgotten` of a record that names a person who was forgotten", Example: "org is missing"},
			{Name: "raw", Null: "of a copy found by a close, of a voided call whose object is gone or is not as it was read, of text that `gc` or `forget` has dropped", Meaning: "its first 4 KiB; what is not UTF-8 as U+FFFD", Example: `{"id":"req-9","ts":"2026-10-31T10:00:00Z"}`},
		},
	},
	{
		Name:    "rated",
		About:   "every call with its price: what is billed",
		Row:     "a call",
		Key:     []string{"source", "account", "event_id", "time"},
		Order:   []string{"account", "time", "source", "event_id"},
		Changes: "replaced by `rerate --commit`; else rows of a closed month stay. Late usage is not added to it: it lies in the open month until a re-rate takes it home",
		Note: "The columns to `line` are those of `usage`. The month of a row, its partition, is that of `posted_at`: " +
			"sum by `period` for what was billed when, by `time` for what happened when.",
		Columns: slices.Concat(usageColumns, []ColumnEntry{
			{Name: "posted_at", Unit: "UTC", Meaning: "when it burns: `time`, or the open month's start if it came after its own month's cut; a re-rate puts it back to `time`", Example: "2026-10-03T10:00:00Z"},
			{Name: "late", Meaning: "its `time` is before the month it posts to, or it was left behind by a close", Example: "false"},
			{Name: "price_table", Null: "if no version was in force", Meaning: "the price table that priced it", Example: "api"},
			{Name: "price_version", Null: "if no version was in force", Meaning: "the version of that price table", Example: "2"},
			{Name: "rule", Null: "if no rule matched", Meaning: "the rule of that version that matched, from 1", Example: "5"},
			{Name: "credits", Unit: "credits", Meaning: "what it costs; 0 while held", Example: "40.000000"},
			{Name: "held", Null: "where the call is not held", Meaning: "why it is kept out of billing: [reasons](configuration.md#held-calls)", Example: "no_rule", Values: []string{
				"no_rule", "null_quantity", "unlisted_value", "beyond_last_step", "overflow", "account_not_opened",
			}},
		}),
	},
	{
		Name:    "voided",
		About:   "calls that `void` took back",
		Row:     "a call taken back",
		Key:     []string{"source", "account", "event_id", "time"},
		Order:   []string{"account", "time", "source", "event_id"},
		Changes: "rows stay. `void_pending` of a closed month's calls turns false with `rerate --commit`",
		Note:    "Ids in it stay taken: whoever looks for copies of a call looks in `usage` and here. It is the program's own table, and a record for people; `publish` leaves it out.",
		Columns: slices.Concat(usageColumns, []ColumnEntry{
			{Name: "read_by", Unit: "run", Meaning: "the run that brought it", Example: "3"},
			{Name: "void_reason", Meaning: "as given; `forgotten` where it named a person who was forgotten", Example: "logged twice by the old gateway"},
			{Name: "void_pending", Meaning: "it posts to a month that was cut by then: it stays in `usage` and `rated` until that month's re-rate", Example: "false"},
			{Name: "void_run", Unit: "run", Meaning: "the run that took it back", Example: "9"},
		}),
	},
}

// usageColumns are the columns of a call, which usage, rated and voided begin with.
var usageColumns = []ColumnEntry{
	{Name: "event_id", Meaning: "the call's id in its source; made as `KEY:LINE` where the source maps none", Example: "req-7f3a"},
	{Name: "source", Meaning: "the source that it was read by", Example: "gateway"},
	{Name: "account", Meaning: "who is billed", Example: "acme"},
	{Name: "project", Null: "where the source maps none or the record has none", Meaning: "a part of the account: usage is broken down by it", Example: "web"},
	{Name: "key", Null: "where the source maps none or the record has none", Meaning: "an API key's id: usage is broken down by it", Example: "key-1"},
	{Name: "operation", Meaning: "what was called", Example: "image.generate"},
	{Name: "time", Unit: "UTC", Meaning: "when the call was made: prices go by it", Example: "2026-10-03T10:00:00Z"},
	{Name: "object", Meaning: "the key of the object that it stands in", Example: "gateway/2026/10/31/calls.jsonl.gz"},
	{Name: "line", Meaning: "the physical line in that object, from 1; of Parquet the row's number", Example: "14"},
}
