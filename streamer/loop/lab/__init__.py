"""Events to other programs of a laboratory: Open Sound Control, Lab Streaming Layer."""
