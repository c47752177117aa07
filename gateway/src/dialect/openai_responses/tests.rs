//! The dialect against data: what goes in, what must come out.
