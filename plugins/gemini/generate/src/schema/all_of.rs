//! `allOf` as one schema: Gemini ignores it.

use plugin_sdk::Losses;

use super::tree::{Members, Tree};

/// Merges the parts, which are rewritten already, into the schema they belong to.
pub(super) fn merge<'a>(into: &mut Members<'a>, parts: Vec<Tree<'a>>, path: &str, losses: &mut Losses) {
    for part in parts {
        let Tree::Object(part) = part else { continue };
        for (name, value) in part.0 {
            member(into, &name, value, &format!("{path}.{name}"), losses);
        }
    }
}

fn member<'a>(into: &mut Members<'a>, name: &str, value: Tree<'a>, path: &str, losses: &mut Losses) {
    let Some(own) = into.get_mut(name) else {
        return into.put(name, value);
    };
    match (name, own, value) {
        (_, own, value) if *own == value => {}
        ("properties", Tree::Object(own), Tree::Object(more)) => {
            for (property, value) in more.0 {
                let path = format!("{path}.{property}");
                match own.get_mut(&property) {
                    // Both parts say something of it: what does not contradict is kept.
                    Some(Tree::Object(own)) => merge(own, vec![value], &path, losses),
                    Some(_) => {}
                    None => own.put(&property, value),
                }
            }
        }
        ("required", Tree::List(own), Tree::List(more)) => {
            let new: Vec<_> = more.into_iter().filter(|name| !own.contains(name)).collect();
            own.extend(new);
        }
        // The narrower choice holds.
        ("enum", Tree::List(own), Tree::List(more)) => own.retain(|value| more.contains(value)),
        // One part says what the whole is, another what it is for.
        ("title" | "description" | "default" | "examples", _, _) => {}
        _ => losses.add(path, "the parts of allOf differ here; gemini gets the first"),
    }
}
