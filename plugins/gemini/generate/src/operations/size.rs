//! `1536x1024` as a ratio of sides: Google's image models take no pixels.

use plugin_sdk::Losses;

/// What Imagen takes.
pub(super) const IMAGEN: [&str; 5] = ["1:1", "3:4", "4:3", "9:16", "16:9"];
/// What Gemini's image models take.
pub(super) const GEMINI: [&str; 10] =
    ["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"];

/// The nearest ratio and the size class, from `aspect_ratio` and `size`.
pub(super) fn of(
    size: Option<&str>,
    ratio: Option<&str>,
    known: &[&'static str],
    losses: &mut Losses,
) -> (Option<&'static str>, Option<&'static str>) {
    let size = size.filter(|size| *size != "auto");
    let pixels = size.and_then(|size| two(size, 'x'));
    if size.is_some() && pixels.is_none() {
        losses.add("size", "not `<width>x<height>`");
    }
    let class = pixels.filter(|(width, height)| width.max(*height) >= 2048.0).map(|_| "2K");
    let (field, wanted) = match (ratio, pixels) {
        (Some(ratio), _) => ("aspect_ratio", two(ratio, ':')),
        (None, pixels) => ("size", pixels),
    };
    let Some((width, height)) = wanted else {
        if ratio.is_some() {
            losses.add("aspect_ratio", "not `<width>:<height>`");
        }
        return (None, class);
    };
    let distance = |known: &str| {
        let (w, h) = two(known, ':').unwrap_or((1.0, 1.0));
        ((w / h).ln() - (width / height).ln()).abs()
    };
    let nearest = known.iter().copied().min_by(|one, other| distance(one).total_cmp(&distance(other)));
    // 1792x1024 is called 16:9 by everyone, though it is not quite.
    if let Some(nearest) = nearest.filter(|nearest| distance(nearest) > 0.03) {
        losses.add(field, format!("this model has no such ratio; {nearest} was sent"));
    }
    (nearest, class)
}

fn two(text: &str, between: char) -> Option<(f64, f64)> {
    let (width, height) = text.split_once(between)?;
    let (width, height): (u32, u32) = (width.parse().ok()?, height.parse().ok()?);
    (width > 0 && height > 0).then(|| (f64::from(width), f64::from(height)))
}

#[cfg(test)]
mod tests {
    use plugin_sdk::Losses;

    #[test]
    fn the_nearest_ratio_is_found_and_what_is_not_near_is_told() {
        let ask = |size: &str, known: &[&'static str]| {
            let mut losses = Losses::default();
            let found = super::of(Some(size), None, known, &mut losses);
            (found, losses.is_empty())
        };
        assert_eq!(ask("1024x1024", &super::IMAGEN), ((Some("1:1"), None), true));
        assert_eq!(ask("1792x1024", &super::IMAGEN), ((Some("16:9"), None), true));
        assert_eq!(ask("1536x1024", &super::IMAGEN), ((Some("4:3"), None), false));
        assert_eq!(ask("1536x1024", &super::GEMINI), ((Some("3:2"), None), true));
        assert_eq!(ask("2048x2048", &super::GEMINI), ((Some("1:1"), Some("2K")), true));
        assert_eq!(ask("auto", &super::GEMINI), ((None, None), true));
        assert_eq!(ask("0x10", &super::GEMINI), ((None, None), false));
    }
}
