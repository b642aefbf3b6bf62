//! The engine: owns the store and every task; answers requests and tells events.

pub mod messages;
