"""Labels by time, in the formats that annotators have: read, matched to utterances, written."""
