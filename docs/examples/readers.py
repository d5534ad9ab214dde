#!/usr/bin/env python3
"""Read a published copy with other readers, and compare what they read with creditmill's.

    pip install pandas pyarrow polars duckdb
    creditmill publish
    python3 readers.py PUBLISHED-FOLDER [creditmill.yaml] [CREDITMILL-PROGRAM]

Each table is read by each reader that is installed, and by DuckDB's shell where there is
one: the number of rows and the exact sums of all numbers, month by month (or day by day),
must be those of `creditmill query`. It prints a table and the types that readers give to
columns, and ends with 1 if anything differs. Nothing is written.
"""

import decimal
import importlib
import json
import os
import shutil
import subprocess
import sys

decimal.getcontext().prec = 76  # Python's own default of 28 digits rounds sums of DECIMAL(38,6)

PROGRAM_TABLES = {"voided", "kept_parties"}  # the program's own: not published


def number(value):
    return None if value is None else decimal.Decimal(str(value))


def is_summed(kind):
    return kind.startswith("DECIMAL") or kind == "BIGINT"


def what_query_says(program, config, table):
    """{partition: (rows, {column: sum})} of a table, by `creditmill query`."""
    columns = [c["name"] for c in table["columns"] if is_summed(c["type"])]
    partition = '"%s"' % table["partition"] if table.get("partition") else "''"
    sums = ["CAST(sum(\"%s\") AS VARCHAR)" % c for c in columns]
    statement = "SELECT %s FROM %s GROUP BY 1 HAVING count(*) > 0" % (", ".join([partition + " AS part", "count(*) AS n"] + ["%s AS s%d" % (s, i) for i, s in enumerate(sums)]), table["name"])
    out = subprocess.run([program, "query", "--config", config, "--format", "json", statement], check=True, capture_output=True, text=True).stdout
    return {row["part"]: (int(row["n"]), {c: number(row["s%d" % i]) for i, c in enumerate(columns)}) for row in json.loads(out)["rows"]}


def collect(rows, partition, columns, part, n, sums):
    rows[str(part)[:10] if partition else ""] = (int(n), dict(zip(columns, (number(s) for s in sums))))


def by_pandas(folder, partition, columns):
    import pandas

    frame = pandas.read_parquet(folder)
    types = {c: str(t) for c, t in frame.dtypes.items()}
    found = {}
    groups = frame.groupby(partition, observed=True) if partition else [("", frame)]
    for part, group in groups:
        sums = []
        for c in columns:
            values = group[c].dropna()
            sums.append(sum(decimal.Decimal(str(v)) for v in values) if len(values) else None)
        collect(found, partition, columns, part, len(group), sums)
    return found, types


def by_pyarrow(folder, partition, columns):
    import pyarrow.compute
    import pyarrow.dataset

    table = pyarrow.dataset.dataset(folder, format="parquet", partitioning="hive").to_table()
    types = {f.name: str(f.type) for f in table.schema}
    found = {}
    parts = table[partition].unique().to_pylist() if partition else [""]
    for part in parts:
        rows = table.filter(pyarrow.compute.equal(table[partition], part)) if partition else table
        collect(found, partition, columns, part, rows.num_rows, [pyarrow.compute.sum(rows[c]).as_py() for c in columns])
    return found, types


def by_polars(folder, partition, columns):
    import polars

    frame = polars.scan_parquet(folder + "/**/*.parquet", hive_partitioning=bool(partition)).collect()
    types = {c: str(t) for c, t in frame.schema.items()}
    found = {}
    groups = frame.partition_by(partition, as_dict=True).items() if partition else [(("",), frame)]
    for (part,), rows in groups:
        sums = [None if rows[c].null_count() == rows.height else rows[c].sum() for c in columns]
        collect(found, partition, columns, part, rows.height, sums)
    return found, types


def duckdb_statement(folder, partition, columns):
    files = "read_parquet('%s/**/*.parquet', hive_partitioning = %s)" % (folder.replace("'", "''"), "true" if partition else "false")
    part = 'CAST("%s" AS VARCHAR)' % partition if partition else "''"
    return files, "SELECT %s FROM %s GROUP BY 1" % (", ".join([part + " AS part", "count(*) AS n"] + ['CAST(sum("%s") AS VARCHAR) AS s%d' % (c, i) for i, c in enumerate(columns)]), files)


def by_duckdb(folder, partition, columns):
    import duckdb

    files, statement = duckdb_statement(folder, partition, columns)
    types = {row[0]: row[1] for row in duckdb.sql("DESCRIBE SELECT * FROM " + files).fetchall()}
    found = {}
    for part, n, *sums in duckdb.sql(statement).fetchall():
        collect(found, partition, columns, part, n, sums)
    return found, types


def by_shell(folder, partition, columns):
    files, statement = duckdb_statement(folder, partition, columns)
    ask = lambda text: json.loads(subprocess.run(["duckdb", "-json", "-c", text], check=True, capture_output=True, text=True).stdout or "[]")
    types = {row["column_name"]: row["column_type"] for row in ask("DESCRIBE SELECT * FROM " + files)}
    found = {}
    for row in ask(statement):
        collect(found, partition, columns, row["part"], row["n"], [row["s%d" % i] for i in range(len(columns))])
    return found, types


def readers():
    """The readers there are, with their versions."""
    for name, read in (("pandas", by_pandas), ("pyarrow", by_pyarrow), ("polars", by_polars), ("duckdb", by_duckdb)):
        try:
            module = importlib.import_module(name)
        except ImportError:
            print("%s is not installed: left out" % name)
            continue
        yield name, module.__version__, read
    if shutil.which("duckdb"):
        version = subprocess.run(["duckdb", "--version"], check=True, capture_output=True, text=True).stdout.split()[0]
        yield "duckdb shell", version, by_shell
    else:
        print("duckdb's shell is not installed: left out")


def show(lines):
    widths = [max(len(line[i]) for line in lines if i < len(line)) for i in range(len(lines[0]))]
    print()
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    place = sys.argv[1]
    config = sys.argv[2] if len(sys.argv) > 2 else "creditmill.yaml"
    program = sys.argv[3] if len(sys.argv) > 3 else "creditmill"
    if not os.path.exists(os.path.join(place, "_as_of.json")):
        sys.exit("%s is no published copy, or one that is being written: it has no _as_of.json" % place)
    described = json.loads(subprocess.run([program, "tables", "--config", config, "--json"], check=True, capture_output=True, text=True).stdout)
    tables = [t for t in described["tables"] if t["kind"] == "table" and t["name"] not in PROGRAM_TABLES]
    there = list(readers())
    head, lines = ["%s %s" % (name, version) for name, version, _ in there], []
    types, wrong = {name: {} for name, _, _ in there}, []
    for table in tables:
        folder = os.path.join(place, table["name"])
        want = what_query_says(program, config, table)
        if not os.path.isdir(folder):
            lines.append([table["name"], "0", "MISSING" if want else "no rows"])
            if want:
                wrong.append("%s is missing" % table["name"])
            continue
        columns = [c["name"] for c in table["columns"] if is_summed(c["type"])]
        kinds = {c["name"]: c["type"] for c in table["columns"]}
        cells = []
        for name, _, read in there:
            found, given = read(folder, table.get("partition"), columns)
            for column, kind in given.items():
                label = "partition " + column if column == table.get("partition") else kinds.get(column, "?")
                types[name].setdefault(label, set()).add(kind)
            cells.append("equal" if found == want else "DIFFERENT")
            if found != want:
                wrong.append("%s by %s: %r, query says %r" % (table["name"], name, found, want))
        lines.append([table["name"], str(sum(n for n, _ in want.values()))] + cells)
    show([["table", "rows"] + head] + lines)
    labels = sorted({label for given in types.values() for label in given})
    show([["columns of type", "are read as"] + head] + [[label, ""] + [", ".join(sorted(types[name].get(label, ()))) for name, _, _ in there] for label in labels])
    for line in wrong:
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
