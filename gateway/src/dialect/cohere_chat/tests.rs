//! The dialect against data.
