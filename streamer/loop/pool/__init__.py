"""A pool: the vectors of recordings too many to hear live, in Parquet files."""
