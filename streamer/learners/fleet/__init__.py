"""A population's prior from many voices' sums: no utterance of anybody is needed."""
