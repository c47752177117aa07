//! A store as text.
