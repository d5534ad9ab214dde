-- What a re-rating finds, gathered period by period, and draft by draft where there
-- are several. A row of differences is one thing that differs for an account in a
-- period:
--   draft     the draft of prices; NULL for the configuration as it is
--   measure   in credits: rated (a row for each cause, with its calls), overage,
--             denied, expired, balance (what all buckets hold at the period's end);
--             in money: fee, pack, topup, charge, overage_charge and tax
--   item      of the invoice line; NULL for credits
--   unit      credits, or the currency
--   before    what is live: an invoice with the notes so far
--   after     what the replay says
--   calls     of rated: how many differ
--   cause     of rated: price, late usage or void; else all causes that apply, among
--             them account event and knock-on, with ", " between
CREATE OR REPLACE TEMP TABLE differences (
    draft VARCHAR, period VARCHAR, account VARCHAR, measure VARCHAR, item VARCHAR, unit VARCHAR,
    "before" DECIMAL(38,6), "after" DECIMAL(38,6), calls BIGINT, cause VARCHAR
);
-- Why a period of an account can differ at all.
CREATE OR REPLACE TEMP TABLE reasons (draft INTEGER, period VARCHAR, account VARCHAR, reason VARCHAR);
-- The charges of which invoices and notes say something else than the replay.
CREATE OR REPLACE TEMP TABLE changed_lines (
    draft INTEGER, period VARCHAR, account VARCHAR, currency VARCHAR, kind VARCHAR, item VARCHAR, description VARCHAR,
    quantity DECIMAL(38,6), unit_price DECIMAL(38,12), "before" DECIMAL(38,4), "after" DECIMAL(38,4), tax_rate DECIMAL(38,12),
    "from" TIMESTAMP, "to" TIMESTAMP, cause VARCHAR
)
