"""Rows of a Parquet file as records that JSON could hold, whatever the types of its columns."""

from collections.abc import Iterator
from typing import Any


def parquet_rows(batch: Any) -> Iterator[dict[str, Any] | str]:
    """Records of a pyarrow.RecordBatch; in the place of one that cannot be had, the reason.

    Times in nanoseconds, as pandas and Phoenix write them, become microseconds: Python has no finer
    ones, and pyarrow needs pandas for them. Maps become mappings.
    """
    import pyarrow as pa

    schema = pa.schema([field.with_type(_readable(field.type)) for field in batch.schema])
    if schema != batch.schema:
        batch = batch.cast(schema, safe=False)
    try:
        yield from batch.to_pylist(maps_as_pydicts="lossy")
        return
    except (ValueError, OverflowError):
        pass  # a time that Python cannot hold: only the rows that have one are lost
    for at in range(batch.num_rows):
        try:
            yield batch.slice(at, 1).to_pylist(maps_as_pydicts="lossy")[0]
        except (ValueError, OverflowError) as error:
            yield f"a value cannot be read: {str(error)[:150]}"


def _readable(kind: Any) -> Any:
    import pyarrow as pa

    types = pa.types
    if types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if types.is_duration(kind) and kind.unit == "ns":
        return pa.duration("us")
    if types.is_time64(kind) and kind.unit == "ns":
        return pa.time64("us")
    if types.is_struct(kind):
        return pa.struct([field.with_type(_readable(field.type)) for field in kind])
    if types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_readable(kind.value_type)))
    if types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_readable(kind.value_type)))
    return kind
