package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// clauses are those of SPEC section 13 in its order. Where a row comes from stands in
// the world's README: the ids of calls lead there.
var clauses = map[string][]clause{
	"vision": {
		{"plans Free, Business, Professional", []shown{{
			statement: `SELECT account, granted, price FROM balances WHERE kind = 'allowance' AND granted > 0 AND period = '2026-10' ORDER BY account, starts_at`,
			rows: []string{
				"aperture 100 0", "brightleaf 1000 49", "cobalt 1000 49", "cobalt 5000 199", "delft 5000 199", "delft 1000 49", "ember 1000 49", "fathom 5000 199", "grove 100 0",
			},
		}}},
		{"a monthly supply renewed on the day of purchase", []shown{{ // aperture on the 3rd, brightleaf on the 17th, grove on the 12th
			statement: `SELECT account, starts_at, expires_at FROM balances WHERE kind = 'allowance' AND granted > 0 AND account IN ('aperture', 'brightleaf', 'grove') ORDER BY account, starts_at`,
			rows: []string{
				"aperture 2026-10-03T09:00:00Z 2026-11-03T09:00:00Z", "aperture 2026-11-03T09:00:00Z 2026-12-03T09:00:00Z",
				"brightleaf 2026-10-17T10:30:00Z 2026-11-17T10:30:00Z", "brightleaf 2026-11-17T10:30:00Z 2026-12-17T10:30:00Z",
				"grove 2026-10-12T07:00:00Z 2026-11-12T07:00:00Z", "grove 2026-11-12T07:00:00Z 2026-12-12T07:00:00Z",
			},
		}}},
		{"unused credits expire", []shown{{
			statement: `SELECT account, "at", credits FROM ledger WHERE entry = 'expire' ORDER BY account, "at"`,
			rows: []string{
				"brightleaf 2026-10-17T10:30:00Z 124.5", "brightleaf 2026-11-17T10:30:00Z 545", "cobalt 2026-11-19T12:00:00Z 3533.5", "delft 2026-11-10T08:00:00Z 1300",
				"delft 2026-11-24T08:00:00Z 979.5", "fathom 2026-11-01T00:00:00Z 4179", "grove 2026-11-12T07:00:00Z 100",
			},
		}}},
		{"each operation costs its own credits", []shown{{ // v-b6 failed on our side; faces cost 3 in October, 2.5 in November
			statement: `SELECT event_id, operation, coalesce(images, pages), credits FROM rated WHERE event_id IN ('v-a1', 'v-a2', 'v-a3', 'v-a6', 'v-a7', 'v-a8', 'v-b6', 'v-f3') ORDER BY event_id`,
			rows: []string{
				"v-a1 image.tag 40 40", "v-a2 face.detect 15 45", "v-a3 image.background 4 20", "v-a6 text.read 15 7.5", "v-a7 image.color 10 20", "v-a8 face.detect 30 75",
				"v-b6 image.tag 10 0", "v-f3 text.read 1 1",
			},
		}}},
		{"credit packs without expiry", []shown{{
			statement: `SELECT account, granted, expires_at, price FROM balances WHERE kind = 'pack' AND granted > 0 ORDER BY account`,
			rows:      []string{"aperture 500 - 29", "fathom 1000 - 58"},
		}}},
		{"used only after the monthly supply", []shown{{ // v-a5: the supply is used up; v-a8: it is there again; v-a9: half and half; v-f1: the pack is there, and waits
			statement: `SELECT event_id, kind, credits FROM burns WHERE event_id IN ('v-a5', 'v-a8', 'v-a9', 'v-f1') ORDER BY event_id, kind`,
			rows:      []string{"v-a5 pack 150", "v-a8 allowance 75", "v-a9 allowance 25", "v-a9 pack 25", "v-f1 allowance 800"},
		}}},
		{"available to Free too", []shown{{
			statement: `SELECT b.account, b.granted, b.price, l.kind, l.item, l.amount FROM balances b JOIN invoice_lines l USING (account) WHERE b.account = 'aperture' AND b.kind = 'allowance' AND b.granted > 0 AND b.period = '2026-10'`,
			rows:      []string{"aperture 100 0 pack boost 29"},
		}}},
		{"upgrade and downgrade: the old supply adds to the new", []shown{
			{ // priority 10 is a former plan's
				statement: `SELECT account, priority, granted, price FROM balances WHERE account IN ('cobalt', 'delft') AND period = '2026-10' ORDER BY account, priority`,
				rows:      []string{"cobalt 10 1000 49", "cobalt 40 5000 199", "delft 10 5000 199", "delft 40 1000 49"},
			},
			{ // after v-d2: 1,600 of the old and 1,000 of the new
				statement: `SELECT account, threshold, balance FROM alerts WHERE account = 'delft' AND period = '2026-10'`, rows: []string{"delft 80 2600"},
			},
		}},
		{"is used first", []shown{{
			statement: `SELECT event_id, bucket_id, credits FROM burns WHERE event_id IN ('v-c3', 'v-c4', 'v-d2', 'v-d3', 'v-d4') ORDER BY event_id, bucket_id`,
			rows: []string{
				"v-c3 cobalt/allowance/2026-10-05T12:00:00Z 200", "v-c4 cobalt/allowance/2026-10-05T12:00:00Z 150", "v-c4 cobalt/allowance/2026-10-19T12:00:00Z 300",
				"v-d2 delft/allowance/2026-10-10T08:00:00Z 900", "v-d3 delft/allowance/2026-10-10T08:00:00Z 300", "v-d4 delft/allowance/2026-10-24T08:00:00Z 20.5",
			},
		}}},
		{"stays until the old month ends", []shown{{ // cobalt's is used up before
			statement: `SELECT b.bucket_id, b.expires_at, l."at", l.credits FROM balances b LEFT JOIN ledger l ON l.bucket_id = b.bucket_id AND l.entry = 'expire' WHERE b.priority = 10 AND b.period = '2026-10' ORDER BY 1`,
			rows: []string{
				"cobalt/allowance/2026-10-05T12:00:00Z 2026-11-05T12:00:00Z - -",
				"delft/allowance/2026-10-10T08:00:00Z 2026-11-10T08:00:00Z 2026-11-10T08:00:00Z 1300",
			},
		}}},
	},

	"imagegen": {
		{"image generation 1–9 credits by quality, size and variations", []shown{{ // without a transparent background
			statement: `SELECT event_id, images, CAST(credits / images AS DECIMAL(9,2)) AS each FROM rated WHERE event_id IN ('w-a1', 'i-c7', 'i-b1', 'w-e1', 'i-d2', 'w-e3', 'w-c4', 'w-e9', 'i-b3') ORDER BY event_id`,
			rows:      []string{"i-b1 20 2", "i-b3 5 9", "i-c7 7 1.5", "i-d2 6 2", "w-a1 4 1", "w-c4 10 4", "w-e1 20 3", "w-e3 15 3", "w-e9 10 6"},
		}}},
		{"background removal 2 an image", []shown{{ // thirteen calls, i-b4 to w-g3
			statement: `SELECT count(*), sum(images), sum(credits) FROM rated WHERE operation = 'image.background'`, rows: []string{"13 121 242"},
		}}},
		{"OCR 1", []shown{{ // an image, else a page; i-c5: at most 40, i-e6: at least 1
			statement: `SELECT event_id, coalesce(pages, images), credits FROM rated WHERE operation = 'image.ocr' ORDER BY event_id`,
			rows:      []string{"i-b6 12 12", "i-c5 95 40", "i-c9 1 1", "i-e6 0 1", "i-f4 3 3", "i-g4 1 1", "w-a4 4 4", "w-a5 3 3", "w-f3 3 3", "w-g4 1 1"},
		}}},
		{"upscaling 1–9 by output resolution", []shown{{ // 5 in place of 6 from 9 November on; i-c6 has a transparent background: 3 + 1
			statement: `SELECT CAST(credits / images AS DECIMAL(9,2)) AS each, string_agg(event_id, ',' ORDER BY event_id) FROM rated WHERE operation = 'image.upscale' GROUP BY each ORDER BY each`,
			rows:      []string{"1 i-d1,w-c10", "3 i-e2", "4 i-c6", "5 i-b8,i-d6,w-f6", "6 i-b2,i-b7,i-f5,i-g2,w-g2", "9 i-b5,i-c2,i-e5,i-e8"},
		}}},
		{"transparent background +1", []shown{{
			statement: `SELECT event_id, credits FROM rated WHERE transparent IN ('true', 'yes') ORDER BY event_id`,
			rows:      []string{"i-c1 400", "i-c6 100", "i-d3 12", "i-g1 36", "w-a2 15", "w-g1 36"},
		}}},
		{"a batch counts every image", []shown{{ // i-b9 failed on our side
			statement: `SELECT event_id, images, credits FROM rated WHERE operation = 'image.generate.batch' ORDER BY event_id`,
			rows:      []string{"i-b1 20 40", "i-b9 20 0", "i-c1 100 400"},
		}}},
		{"web and API metered alike", []shown{{ // gardenia's four pairs: i-g1 and w-g1 to i-g4 and w-g4
			statement: `SELECT right(event_id, 2), count(DISTINCT source), min(credits), max(credits) FROM rated WHERE account = 'gardenia' AND period = '2026-10' GROUP BY 1 ORDER BY 1`,
			rows:      []string{"g1 2 36 36", "g2 2 12 12", "g3 2 14 14", "g4 2 1 1"},
		}}},
		{"monthly credits reset", []shown{
			{
				statement: `SELECT account, "at", credits FROM ledger WHERE entry = 'grant' AND bucket_id LIKE '%/allowance/%' AND period = '2026-11' ORDER BY account`,
				rows: []string{
					"amapola 2026-10-31T23:00:00Z 25", "brezo 2026-11-03T08:00:00Z 200", "cardo 2026-11-08T09:00:00Z 1000", "espliego 2026-11-12T08:00:00Z 200",
					"fresno 2026-11-25T01:30:00Z 200", "gardenia 2026-11-05T09:00:00Z 1000",
				},
			},
			{
				statement: `SELECT account, "at", credits FROM ledger WHERE entry = 'expire' AND bucket_id LIKE '%/allowance/%' ORDER BY account`,
				rows:      []string{"amapola 2026-11-30T23:00:00Z 19", "gardenia 2026-11-05T09:00:00Z 914"},
			},
		}},
		{"prepaid ones expire after 12 months", []shown{
			{ // at the same time in Madrid, summer or winter
				statement: `SELECT bucket_id, "at" AS bought, expires_at FROM balances JOIN ledger USING (bucket_id, period) WHERE entry = 'grant' AND kind IN ('pack', 'topup') ORDER BY 1`,
				rows: []string{
					"dalia/pack/da-4 2026-10-26T09:00:00Z 2027-10-26T08:00:00Z", "espliego/topup/2026-10/1 2026-10-24T20:00:00Z 2027-10-24T20:00:00Z",
					"espliego/topup/2026-10/2 2026-10-29T15:00:00Z 2027-10-29T14:00:00Z", "espliego/topup/2026-11/1 2026-11-02T09:00:00Z 2027-11-02T09:00:00Z",
				},
			},
			{ // those of 12 November 2025, between i-d4 and i-d5
				statement: `SELECT bucket_id, "at", credits FROM ledger WHERE entry = 'expire' AND account = 'dalia'`, rows: []string{"dalia/opened/da-2 2026-11-12T09:00:00Z 22"},
			},
		}},
		{"Free is paused at 0", []shown{{ // w-a6 was refused, and costs nothing
			statement: `SELECT r.event_id, r.status, r.credits, b.kind FROM rated r LEFT JOIN burns b USING (event_id) WHERE r.event_id IN ('w-a4', 'w-a5', 'w-a6') ORDER BY r.event_id`,
			rows:      []string{"w-a4 200 4 allowance", "w-a5 200 3 denied", "w-a6 402 0 -"},
		}}},
		{"protection on blocks at 100 %", []shown{{ // brezo by its plan, cardo by its own setting
			statement: `SELECT event_id, kind, credits FROM burns WHERE event_id IN ('i-b5', 'i-b6', 'i-c8') ORDER BY event_id, kind`,
			rows:      []string{"i-b5 allowance 35", "i-b5 denied 10", "i-b6 denied 12", "i-c8 denied 10"},
		}}},
		{"off bills the rest", []shown{
			{
				statement: `SELECT event_id, credits FROM burns WHERE kind = 'overage' ORDER BY event_id`,
				rows:      []string{"i-c5 40", "i-c6 100", "i-c7 10.5", "w-c4 10", "w-f6 26", "w-f7 4"},
			},
			{
				statement: `SELECT account, period, quantity, amount FROM invoice_lines WHERE kind = 'overage' ORDER BY number, line`,
				rows:      []string{"cardo 2026-10 100 6.5", "cardo 2026-10 50 2.75", "cardo 2026-11 10.5 0.68", "fresno 2026-11 30 2.25"},
			},
		}},
		{"alerts at 80, 100 and 110 %", []shown{{
			statement: `SELECT account, period, string_agg(CAST(CAST(threshold AS INTEGER) AS VARCHAR), ',' ORDER BY threshold) FROM alerts WHERE kind = 'percent' GROUP BY ALL ORDER BY ALL`,
			rows:      []string{"amapola 2026-10 80,100,110", "brezo 2026-10 80,100,110", "cardo 2026-10 80,100,110", "espliego 2026-10 80,100,110", "fresno 2026-11 80,100,110"},
		}}},
		{"auto top-up", []shown{{ // by i-e4, i-e5, and i-e7 of no credits; the most a month are 2
			statement: `SELECT l.bucket_id, l."at", l.credits, r.event_id FROM ledger l JOIN rated r ON r.account = l.account AND r.time = l."at" WHERE l.entry = 'grant' AND l.bucket_id LIKE '%/topup/%' ORDER BY 1`,
			rows: []string{
				"espliego/topup/2026-10/1 2026-10-24T20:00:00Z 50 i-e4", "espliego/topup/2026-10/2 2026-10-29T15:00:00Z 50 i-e5", "espliego/topup/2026-11/1 2026-11-02T09:00:00Z 50 i-e7",
			},
		}}},
		{"usage as JSON", []shown{{check: checkUsageAsJSON}}},
	},

	"scraper": {
		{"credits by endpoint", []shown{{ // two tables in force side by side; the last is bittern's
			statement: `SELECT operation, price_table, credits FROM rated WHERE event_id IN ('s-a1', 's-a13', 's-a14', 's-a15', 's-a16', 's-a17') OR operation = 'extract.text' ORDER BY operation`,
			rows: []string{
				"crawl.run pages 44", "extract.records search 960", "extract.text search 0.043208", "page.get pages 13", "page.screenshot pages 36", "search.maps search 27", "search.web search 20",
			},
		}}},
		{"target domain (wildcards)", []shown{{ // s-a3, s-a5 and s-a6 only look special; s-a12 is s-a11's page by the next version
			statement: `SELECT event_id, domain, credits FROM rated WHERE event_id IN ('s-a2', 's-a3', 's-a4', 's-a5', 's-a6', 's-a7', 's-a8', 's-a9', 's-a11', 's-a12', 's-q3') ORDER BY time`,
			rows: []string{
				"s-a2 www.bazaar.example 35", "s-a3 notbazaar.example 2", "s-a4 sale_50%off.example 3", "s-a5 saleX50%off.example 2", "s-a6 sale_50off.example 2", "s-a7 o'neill-surf.example 3",
				"s-a8 bücher.example 4", "s-a9 xn--bcher-kva.example 2", "s-a11 stats.gov.example 4", "s-a12 stats.gov.example 0.5", "s-q3 bazaar.example 6",
			},
		}}},
		{"by data returned", []shown{
			{ // started 100 KB, started MB, tiers by bytes
				statement: `SELECT event_id, bytes, credits FROM rated WHERE event_id IN ('s-a1', 's-a17', 's-d2', 's-f3', 's-q2') ORDER BY event_id`,
				rows:      []string{"s-a1 250001 13", "s-a17 5000001 36", "s-d2 10000001 33", "s-f3 250001 4", "s-q2 1000001 200"},
			},
			{ // tiers by records
				statement: `SELECT event_id, records, credits FROM rated WHERE event_id IN ('s-a14', 's-d1', 's-j1') ORDER BY event_id`,
				rows:      []string{"s-a14 130 27", "s-d1 1000000 20000", "s-j1 3000 90"},
			},
		}},
		{"tiers of plans", []shown{
			{
				statement: `SELECT item, amount, currency, string_agg(DISTINCT account, ',' ORDER BY account) FROM invoice_lines WHERE kind = 'fee' GROUP BY ALL ORDER BY item, amount`,
				rows: []string{
					"business 229.5 EUR dunlin", "business 459 EUR dunlin", "business 74800 JPY finch", "hobby 29 USD avocet,heron", "metered 19 USD egret", "startup 92 EUR bittern",
					"startup 99 USD curlew,quail/eu",
				},
			},
			{
				statement: `SELECT account, granted, price FROM balances WHERE account = 'jacana' AND granted > 0 ORDER BY starts_at`, rows: []string{"jacana 200 0", "jacana 200 0"},
			},
		}},
		{"unused credits expire", []shown{{
			statement: `SELECT account, "at", credits FROM ledger WHERE entry = 'expire' ORDER BY account, "at"`,
			rows: []string{
				"avocet 2026-11-05T09:00:00Z 885.5", "avocet 2026-11-12T12:00:00Z 73", "bittern 2026-10-31T12:00:00Z 1122", "dunlin 2026-11-01T00:00:00Z 4967",
				"finch 2026-11-01T00:00:00Z 18782", "heron 2026-11-20T15:00:00Z 1000",
			},
		}}},
		{"overage charges", []shown{{ // in steps, in blocks, both, and up to a limit
			statement: `SELECT account, period, item, quantity, amount, currency FROM invoice_lines WHERE kind = 'overage' ORDER BY account, period, line`,
			rows: []string{
				"bittern 2026-11 startup/1 1000 22 EUR", "bittern 2026-11 startup/2 205.043208 4.1 EUR", "curlew 2026-11 startup/1 1000 24 USD", "curlew 2026-11 startup/2 2000 44 USD",
				"curlew 2026-11 startup/3 400 8 USD", "dunlin 2026-11 business/1 12000 111 EUR", "egret 2026-10 metered/1 1200 45 USD", "egret 2026-10 metered/2 700 24 USD",
				"egret 2026-11 metered/1 1200 45 USD", "finch 2026-11 business/1 500.5 5945 JPY", "quail/eu 2026-11 startup/1 600 14.4 USD",
			},
		}}},
		{"the value of a credit visible per call", []shown{{ // s-c2 and s-c7 were free
			statement: `SELECT event_id, credits, value FROM ({look WITH paid}) ORDER BY event_id`,
			rows: []string{
				"s-c1 3000 59.4", "s-c2 0 -", "s-c3 2600 54", "s-c4 4500 89.1", "s-c5 1300 28.3", "s-c6 2000 43.2", "s-c7 0 -",
			},
		}}},
	},

	"training": {
		{"organisations with projects and members", []shown{{ // t-c01, t-c03 and t-c04; t-c05; t-c02 and t-c06
			statement: `SELECT account, project, key, sum(calls) FROM statements WHERE account = 'compass' GROUP BY ALL ORDER BY ALL`,
			rows:      []string{"compass atlas-lm kim 3", "compass atlas-lm lee 1", "compass eval lee 2"},
		}}},
		{"calendar plans", []shown{
			{ // the first cycles, which begin within a month
				statement: `SELECT account, starts_at, expires_at, granted, price FROM balances WHERE kind = 'allowance' AND granted > 0 AND starts_at NOT IN (SELECT start FROM periods) ORDER BY account, starts_at`,
				rows: []string{
					"beacon 2026-10-16T16:00:00Z 2026-11-01T04:00:00Z 500 24.5", "beacon 2026-11-16T17:00:00Z 2026-12-01T05:00:00Z 2413.31484 96.05",
					"foundry 2026-10-12T13:00:00Z 2026-11-01T04:00:00Z 20000 2400",
				},
			},
			{ // all of them end with a month
				statement: `SELECT count(*) > 15, count(*) FILTER (expires_at NOT IN (SELECT "end" FROM periods)) FROM balances WHERE kind = 'allowance' AND granted > 0`, rows: []string{"true 0"},
			},
		}},
		{"training, inference and data processing priced by processing time, data volume and compute together", []shown{{ // data.process counts every started gigabyte
			statement: `SELECT event_id, operation, seconds, gigabytes, gpu, credits FROM rated WHERE event_id IN ('t-a02', 't-a03', 't-a04', 't-c03', 't-f01') ORDER BY event_id`,
			rows: []string{
				"t-a02 training.run 5400.25 20 a100 553", "t-a03 data.process 7500 41.2 - 156", "t-a04 inference.batch 2400.333334 10 t4 125.1", "t-c03 inference.batch 1200 30 a100 225",
				"t-f01 training.run 30000.5 400 h100 8401",
			},
		}}},
		{"packages Standard 1,000, Professional 5,000, Enterprise custom", []shown{{
			statement: `SELECT account, granted, price FROM balances WHERE kind = 'allowance' AND granted > 0 AND period = '2026-12' ORDER BY account`,
			rows:      []string{"anvil 1000 49", "beacon 5000 199", "compass 5000 199", "drydock 5000 199", "foundry 20000 2400", "harrow 1000 49"},
		}}},
		{"Standard expires", []shown{{
			statement: `SELECT account, "at", credits FROM ledger WHERE entry = 'expire' AND bucket_id LIKE '%/allowance/%' AND account IN ('anvil', 'beacon', 'harrow') ORDER BY account, "at"`,
			rows: []string{
				"anvil 2026-11-01T04:00:00Z 74.9", "anvil 2027-01-01T05:00:00Z 776", "anvil 2027-02-01T05:00:00Z 820", "beacon 2026-11-01T04:00:00Z 240",
				"harrow 2026-12-01T05:00:00Z 1000", "harrow 2027-01-01T05:00:00Z 1000", "harrow 2027-02-01T05:00:00Z 1000",
			},
		}}},
		{"Professional rolls over up to 3 months", []shown{
			{ // three cycle ends later; harrow's keep theirs under Standard
				statement: `SELECT bucket_id, granted, expires_at FROM balances WHERE kind = 'rollover' AND granted > 0 AND account IN ('compass', 'harrow') ORDER BY account, starts_at`,
				rows: []string{
					"compass/rollover/2026-11-01T04:00:00Z 4495.75 2027-02-01T05:00:00Z", "compass/rollover/2026-12-01T05:00:00Z 3729.25 2027-03-01T05:00:00Z",
					"compass/rollover/2027-01-01T05:00:00Z 4100 2027-04-01T04:00:00Z", "compass/rollover/2027-02-01T05:00:00Z 5000 2027-05-01T04:00:00Z",
					"harrow/rollover/2026-11-01T04:00:00Z 4349 2027-02-01T05:00:00Z",
				},
			},
			{ // what the cap of 8,000 leaves out, and what three months did not use
				statement: `SELECT bucket_id, "at", credits FROM ledger WHERE entry = 'expire' AND (account = 'compass' OR bucket_id LIKE 'harrow/rollover/%') ORDER BY 1`,
				rows: []string{
					"compass/allowance/2026-11-01T04:00:00Z 2026-12-01T05:00:00Z 1270.75", "harrow/rollover/2026-11-01T04:00:00Z 2027-02-01T05:00:00Z 3379",
				},
			},
		}},
		{"Enterprise has its own terms", []shown{{
			statement: `SELECT period, account, item, amount, currency FROM invoice_lines WHERE account IN ('foundry', 'garnet') AND kind IN ('fee', 'overage') ORDER BY period, account, line`,
			rows: []string{
				"2026-10 foundry enterprise-foundry 2400 USD", "2026-11 foundry enterprise-foundry 2400 USD", "2026-11 foundry enterprise-foundry/1 450 USD",
				"2026-11 foundry enterprise-foundry/2 521.33 USD", "2026-11 garnet enterprise-garnet 99.86 EUR", "2026-11 garnet enterprise-garnet/1 37.5 EUR",
				"2026-12 foundry enterprise-foundry 2400 USD", "2026-12 garnet enterprise-garnet 300 EUR", "2026-12 garnet enterprise-garnet/1 225 EUR",
				"2027-01 foundry enterprise-foundry 2700 USD", "2027-01 garnet enterprise-garnet 300 EUR",
			},
		}}},
		{"usage from the 1st to the last day", []shown{{ // the first instant of October, 31 October 23:30, the last microsecond of December, the first instant of January
			statement: `SELECT event_id, period, time FROM rated WHERE event_id IN ('t-a01', 't-a04', 't-a09', 't-a10') ORDER BY event_id`,
			rows: []string{
				"t-a01 2026-10 2026-10-01T04:00:00Z", "t-a04 2026-10 2026-11-01T03:30:00Z", "t-a09 2026-12 2027-01-01T04:59:59.999999Z", "t-a10 2027-01 2027-01-01T05:00:00Z",
			},
		}}},
		{"invoice on the 1st", []shown{{ // at 06:00 in New York
			statement: `SELECT DISTINCT period, issued_at, due_at FROM invoices ORDER BY period`,
			rows: []string{
				"2026-10 2026-11-01T11:00:00Z 2026-12-01T11:00:00Z", "2026-11 2026-12-01T11:00:00Z 2026-12-31T11:00:00Z", "2026-12 2027-01-01T11:00:00Z 2027-01-31T11:00:00Z",
				"2027-01 2027-02-01T11:00:00Z 2027-03-03T11:00:00Z",
			},
		}}},
		{"usage alerts at thresholds", []shown{{ // percent of the month's credits; foundry's low balance, once each fall
			statement: `SELECT account, period, kind, string_agg(CAST(CAST(threshold AS INTEGER) AS VARCHAR), ',' ORDER BY threshold) FROM alerts GROUP BY ALL ORDER BY ALL`,
			rows: []string{
				"anvil 2026-10 percent 50,80", "anvil 2026-11 percent 50,80,100", "beacon 2026-10 percent 50", "beacon 2026-11 percent 50", "beacon 2026-12 percent 50",
				"compass 2026-12 percent 50,80,100", "compass 2027-01 percent 50", "drydock 2026-11 percent 50", "foundry 2026-10 low_balance 4000", "foundry 2026-10 percent 50,80",
				"foundry 2026-11 low_balance 4000", "foundry 2026-11 percent 50,80,100", "harrow 2026-12 percent 50,80",
			},
		}}},
		{"reports by project and time", []shown{{
			statement: `SELECT period, project, sum(credits), sum(value) FROM statements WHERE account = 'foundry' GROUP BY ALL ORDER BY ALL`,
			rows: []string{
				"2026-10 alloy 16101 1932.12", "2026-10 cast 3105 372.6", "2026-11 alloy 31401 3131.33", "2026-11 cast 3200 240", "2026-12 alloy 0 0", "2026-12 cast 376.5 45.18",
				"2027-01 alloy 3325 359.1",
			},
		}}},
		{"billing history", []shown{{
			statement: `SELECT number, period, total FROM invoices WHERE account = 'beacon' ORDER BY number`,
			rows:      []string{"TC-2026-0002 2026-10 24.5", "TC-2026-0008 2026-11 145.05", "TC-2027-0002 2026-12 199", "TC-2027-0009 2027-01 199"},
		}}},
	},

	"models": {
		{"pay as you go, no subscription", []shown{{ // nobody pays a fee, nothing expires
			statement: `SELECT (SELECT count(*) FROM invoice_lines WHERE kind = 'fee'), (SELECT count(*) FROM ledger WHERE entry = 'expire'), (SELECT count(expires_at) FROM balances)`, rows: []string{"0 0 0"},
		}}},
		{"funds in USD at 2,000,000 credits = 1 USD", []shown{{
			statement: `SELECT account, kind, granted, price FROM balances WHERE price > 0 ORDER BY ALL`,
			rows: []string{
				"atlas pack 20000000 10", "birch pack 2000000 1", "birch pack 5000000 2.5", "birch topup 10000000 5", "birch topup 10000000 5", "birch topup 10000000 5",
				"cedar pack 40000000 20", "cedar topup 20000000 10", "dogwood pack 100000 0.05", "fern pack 6000000 3",
			},
		}}},
		{"hundreds of models with prices per token", []shown{
			{check: checkHundredsOfModels},
			{
				statement: `SELECT event_id, model, input_tokens, output_tokens, credits FROM rated WHERE event_id IN ('m-a01', 'm-a02', 'm-a04', 'm-a06', 'm-a08', 'm-f01') ORDER BY event_id`,
				rows: []string{
					"m-a01 aurora-3-mini 4000 500 1800", "m-a02 basalt-3-large 120000 4000 680000", "m-a04 iris-3-xl 150000 20000 6900000", "m-a06 fjord-embed-1 3 - 0.037037",
					"m-a08 fjord-3-nano 8000 1000 1200", "m-f01 juniper-embed-1 200000 - 8000",
				},
			},
		}},
		{"charges shown in credits and USD", []shown{{
			statement: `SELECT account, sum(credits), sum(value), currency FROM statements GROUP BY ALL ORDER BY ALL`,
			rows: []string{
				"atlas 11284620.037037 5.14 USD", "birch 35702700 17.65 USD", "cedar 40400000 20.2 USD", "dogwood 140042 0.05 USD", "fern 758550 0.38 USD",
			},
		}}},
		{"automatic refill", []shown{
			{
				statement: `SELECT bucket_id, credits FROM ledger WHERE entry = 'grant' AND bucket_id LIKE '%/topup/%' ORDER BY 1`,
				rows:      []string{"birch/topup/2026-10/1 10000000", "birch/topup/2026-10/2 10000000", "birch/topup/2026-10/3 10000000", "cedar/topup/2026-10/1 20000000"},
			},
			{ // in mid-call; after three, m-b05 is denied what is left
				statement: `SELECT event_id, kind, bucket_id, credits FROM burns WHERE event_id IN ('m-b03', 'm-b05') ORDER BY event_id, bucket_id`,
				rows: []string{
					"m-b03 pack birch/pack/bi-4 1997300", "m-b03 topup birch/topup/2026-10/1 10000000", "m-b03 topup birch/topup/2026-10/2 10000000", "m-b03 topup birch/topup/2026-10/3 2002700",
					"m-b05 topup birch/topup/2026-10/3 797300", "m-b05 denied - 402700",
				},
			},
		}},
		{"top-ups not refundable", []shown{{ // the refill is switched off on 19 October: what was bought stays charged and usable
			statement: `SELECT b.granted, b.burned, b.voided, b.remaining, l.kind, l.amount FROM balances b JOIN invoice_lines l ON l.account = b.account AND l.kind = 'topup' WHERE b.bucket_id = 'cedar/topup/2026-10/1'`,
			rows:      []string{"20000000 400000 0 19600000 topup 10"},
		}}},
		{"VAT", []shown{
			{
				statement: `SELECT account, subtotal, tax, total, paid, amount_due FROM invoices ORDER BY account`,
				rows:      []string{"atlas 25 0 25 10 15", "birch 18.5 3.89 22.39 4.24 18.15", "cedar 30 0 30 0 30", "dogwood 0.05 0 0.05 0.05 0", "fern 3 0.63 3.63 3.63 0"},
			},
			{ // cedar's buyer owes it: reverse charge
				statement: `SELECT account, amount, tax_rate FROM invoice_lines WHERE kind = 'tax' ORDER BY account`, rows: []string{"birch 3.89 0.21", "cedar 0 0", "fern 0.63 0.21"},
			},
		}},
		{"18,000 calls an hour as the limit", nil},
	},

	"models/azure": {
		{"Besides its own logs it must bill the real calls in `../shared/data/azure-llm-2023` (28,185 of them)", []shown{
			{
				statement: `SELECT account, count(*), sum(credits), count(held) FROM rated GROUP BY account ORDER BY account`,
				rows:      []string{"code 8819 5713067.4 0", "conv 19366 11614959 0"},
			},
			{ // at the lines of conv.csv where more than 9,500,000, 10,500,000 and 11,500,000 credits are used
				statement: `SELECT l.bucket_id, l."at", r.line FROM ledger l JOIN rated r ON r.account = l.account AND r.time = l."at" WHERE l.entry = 'grant' AND l.bucket_id LIKE '%/topup/%' ORDER BY 1`,
				rows: []string{
					"conv/topup/2023-11/1 2023-11-16T19:00:56.702867Z 15937", "conv/topup/2023-11/2 2023-11-16T19:06:37.809335Z 17528", "conv/topup/2023-11/3 2023-11-16T19:13:07.330598Z 19180",
				},
			},
			{statement: `SELECT number, account, total, paid FROM invoices ORDER BY number`, rows: []string{"INV-2023-000001 code 3 3", "INV-2023-000002 conv 6.5 5"}},
		}},
		{"read where they lie and never copied into the project", []shown{{ // the header is line 1; TestTheRealCallsAreNotInTheProject
			statement: `SELECT object, records, events, rejects, skipped FROM objects WHERE object LIKE '%.csv' ORDER BY object`, rows: []string{"code.csv 8819 8819 0 0", "conv.csv 19366 19366 0 0"},
		}}},
	},
}

// checkUsageAsJSON reads cardo's October as `export usage` writes it: a JSON document with
// the sums of its statement and the calls that make them.
func checkUsageAsJSON(t *testing.T, config string) {
	t.Helper()
	var usage struct {
		Account, Period string
		Summary         []struct {
			Operation      string
			Calls          int64
			Credits, Value json.Number
		}
		Calls []struct {
			ID      string `json:"event_id"`
			Credits json.Number
		}
	}
	text := call(t, "export", "usage", "--config", config, "--account", "cardo", "--period", "2026-10")
	if err := json.Unmarshal([]byte(text), &usage); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	got := [][]string{{"what", "calls", "credits", "value"}}
	for _, s := range usage.Summary {
		got = append(got, []string{s.Operation, fmt.Sprint(s.Calls), s.Credits.String(), s.Value.String()})
	}
	for _, c := range usage.Calls {
		got = append(got, []string{c.ID, "1", c.Credits.String(), "-"})
	}
	compareTable(t, "usage of "+usage.Account+" in "+usage.Period, got, [][]string{
		{"what", "calls", "credits", "value"},
		{"image.generate.batch", "1", "400", "18"},
		{"image.upscale", "2", "550", "26.25"},
		{"image.background", "1", "120", "5.4"},
		{"image.generate", "1", "40", "2"},
		{"image.ocr", "1", "40", "2.6"},
		{"i-c1", "1", "400", "-"},
		{"i-c2", "1", "450", "-"},
		{"w-c3", "1", "120", "-"},
		{"w-c4", "1", "40", "-"},
		{"i-c5", "1", "40", "-"},
		{"i-c6", "1", "100", "-"},
	})
}

// checkHundredsOfModels counts the models that the world's price tables name: 200 of chat
// and 20 of embeddings, per token, and 3 of audio.
func checkHundredsOfModels(t *testing.T, config string) {
	t.Helper()
	for table, want := range map[string]int{"chat": 200, "embeddings": 20, "audio": 3} {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(config), "prices", table+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		models := regexp.MustCompile(`model: [a-z0-9-]+`).FindAllString(string(text), -1)
		slices.Sort(models)
		if n := len(slices.Compact(models)); n != want {
			t.Errorf("%s prices %d models, want %d", table, n, want)
		}
	}
}
