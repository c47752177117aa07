//! One page of a list. Cursors are names: what is added or removed meanwhile shifts nothing.

use serde::Serialize;
use utoipa::ToSchema;

use super::reading::Page;
use super::refusal::Refusal;

/// A part of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Listed<T> {
    items: Vec<T>,
    /// `after` of the next page; absent: this was the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl<T> Listed<T> {
    /// The page of `all` that is asked for. `all` stands in the order of `name`.
    pub(super) fn of(all: Vec<T>, page: &Page, name: impl Fn(&T) -> &str) -> Result<Self, Refusal> {
        let rows = page.rows()?;
        let after = page.after.as_deref();
        let behind = |item: &T| after.is_none_or(|after| name(item) > after);
        let mut items: Vec<T> = all.into_iter().filter(behind).take(rows + 1).collect();
        let more = items.len() > rows;
        items.truncate(rows);
        let next = items.last().filter(|_| more).map(|last| name(last).to_owned());
        Ok(Self { items, next })
    }

    /// A page that somebody else cut.
    pub(super) fn part(items: Vec<T>, next: Option<String>) -> Self {
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_and_end() {
        let all = || ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        let (mut after, mut seen) = (None, Vec::new());
        for _ in 0..3 {
            let page = Page { limit: Some(2), after: after.take() };
            let listed = Listed::of(all(), &page, |name| name).unwrap();
            seen.push(listed.items.concat());
            after = listed.next;
        }
        assert_eq!((seen.as_slice(), after), (["ab", "cd", "e"].map(str::to_owned).as_slice(), None));
        assert!(Listed::of(all(), &Page { limit: Some(0), after: None }, |name| name).is_err());
    }
}
