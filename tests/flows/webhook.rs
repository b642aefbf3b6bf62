//! Runs to the practice webhook receiver.
