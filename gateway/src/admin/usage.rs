//! What was used and what it cost: sums, and the rows they are of.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{Caller, Way};
use super::desk::Desk;
use super::dollars::Dollars;
use super::listed::Listed;
use super::reading::Asked;
use super::refusal::Refusal;
use super::row_view::RowView;
use super::span::{Span, Wrong};
use crate::account::{self, By, Cursor, Filter, RowPage, RowQuery, SumLine, SumQuery, Sums};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// Days, and days of hours, that are added up at most.
const MOST_DAYS: u64 = 3_660;
const MOST_DAYS_OF_HOURS: u64 = 400;
/// Rows of one table at most.
const MOST_ROWS: u32 = 10_000;
/// Where a table says what the next one begins with.
const NEXT: HeaderName = HeaderName::from_static("x-causeway-next");

/// Which sums.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// From this moment (RFC 3339) or day, or so long ago (`7d`); the whole of its day, or hour. Absent: a week.
    from: Option<String>,
    /// Until before this moment, the whole of its day, or hour. Absent: until now.
    until: Option<String>,
    /// One line for each of these together, as in `day,model`: day, hour, key, user, team, model, provider, target.
    #[param(
        pattern = "^(day|hour|key|user|team|model|provider|target)(,(day|hour|key|user|team|model|provider|target))*$"
    )]
    by: Option<String>,
    /// Only this key.
    key: Option<String>,
    /// Only this user, by id.
    user: Option<String>,
    /// Only this team.
    team: Option<String>,
    /// Only this model, as it is configured.
    model: Option<String>,
    /// Only this provider.
    provider: Option<String>,
    /// Only this model of a provider.
    target: Option<String>,
}

/// Which sums of mine.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Mine {
    /// From this moment (RFC 3339) or day, or so long ago (`7d`); the whole of its day, or hour. Absent: a week.
    from: Option<String>,
    /// Until before this moment, the whole of its day, or hour. Absent: until now.
    until: Option<String>,
    /// One line for each of these together: day, hour, key, model. Absent: by day.
    #[param(pattern = "^(day|hour|key|model)(,(day|hour|key|model))*$")]
    by: Option<String>,
    /// Only this key of mine.
    key: Option<String>,
    /// Only this model.
    model: Option<String>,
}

/// Which rows.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct WantedRows {
    /// From this moment (RFC 3339) or day, or so long ago (`7d`). Absent: a week.
    from: Option<String>,
    /// Until before this moment. Absent: until now.
    until: Option<String>,
    /// Only this key.
    key: Option<String>,
    /// Only this user, by id.
    user: Option<String>,
    /// Only this team.
    team: Option<String>,
    /// Only this model, as it is configured.
    model: Option<String>,
    /// Only this provider.
    provider: Option<String>,
    /// Only this model of a provider.
    target: Option<String>,
    /// Only those that ended like this: `ok`, or the kind of a failure.
    outcome: Option<String>,
    /// Only those of this request.
    request: Option<String>,
    /// At most so many: up to 1000, 100 when it is absent; of a table up to 10000, and that many when it is absent.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Sums over requests to providers.
#[derive(Serialize, ToSchema)]
struct Usage {
    /// The whole days, or hours, that were added up.
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    until: String,
    /// Of all lines together.
    total: Counted,
    /// In order of what they are of.
    lines: Vec<Line>,
}

/// Sums, and what they are of.
#[derive(Serialize, ToSchema)]
struct Line {
    /// As in `{"day": "2026-11-21", "model": "gpt-5"}`.
    of: BTreeMap<String, String>,
    #[serde(flatten)]
    counted: Counted,
}

/// What was counted.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageCounted)]
struct Counted {
    /// Requests to providers.
    requests: i64,
    /// Those that did not end well.
    errors: i64,
    /// Those with counts that are estimates.
    estimated: i64,
    /// Those of which nobody knows a price: their tokens are in here, their cost is not.
    unpriced: i64,
    input: i64,
    output: i64,
    cache_read: i64,
    cache_write: i64,
    reasoning: i64,
    /// US dollars with every digit, as far as prices are known.
    #[schema(value_type = f64)]
    cost_usd: Dollars,
}

impl From<Sums> for Counted {
    fn from(sums: Sums) -> Self {
        let Sums { requests, errors, estimated, unpriced, input, output, .. } = sums;
        let Sums { cache_read, cache_write, reasoning, cost, .. } = sums;
        let cost_usd = Dollars(cost);
        Self {
            requests,
            errors,
            estimated,
            unpriced,
            input,
            output,
            cache_read,
            cache_write,
            reasoning,
            cost_usd,
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(usage))
        .routes(routes!(rows))
        .routes(routes!(rows_as_table))
        .routes(routes!(my_usage))
}

/// What was used and what it cost
#[utoipa::path(get, path = "/admin/api/usage", tag = "usage", params(Wanted), responses((status = 200, body = Usage)))]
async fn usage(State(desk): State<Arc<Desk>>, Asked(wanted): Asked<Wanted>) -> Result<Json<Usage>, Refusal> {
    let Wanted { from, until, by, key, user, team, model, provider, target } = wanted;
    let by = by.map_or(Ok(Vec::new()), |by| named(&by, &By::ALL))?;
    let filter = Filter { key, user, team, model, provider, target };
    summed(&desk, (from, until), by, filter).await
}

/// What I used and what it cost
#[utoipa::path(get, path = "/admin/api/me/usage", tag = "me", params(Mine), responses((status = 200, body = Usage)))]
async fn my_usage(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Asked(mine): Asked<Mine>,
) -> Result<Json<Usage>, Refusal> {
    let Mine { from, until, by, key, model } = mine;
    let by = named(by.as_deref().unwrap_or("day"), &[By::Day, By::Hour, By::Key, By::Model])?;
    let own = own(&caller, key)?;
    summed(&desk, (from, until), by, Filter { model, ..own }).await
}

/// Whoever looks at themselves sees nobody else: a user what was asked with any of their keys, a key that is nobody's its
/// own.
fn own(caller: &Caller, key: Option<String>) -> Result<Filter, Refusal> {
    match (&caller.user, &caller.way) {
        (Some(user), _) => Ok(Filter { user: Some(user.clone()), key, ..Filter::default() }),
        (None, Way::Key) if key.as_ref().is_none_or(|key| *key == caller.name) => {
            Ok(Filter { key: Some(caller.name.clone()), ..Filter::default() })
        }
        (None, Way::Key) => Err(Refusal::not_found("you have no such key")),
        (None, _) => Err(Refusal::not_found("you are no user; `/admin/api/usage` tells of all")),
    }
}

async fn summed(
    desk: &Desk,
    (from, until): (Option<String>, Option<String>),
    by: Vec<By>,
    filter: Filter,
) -> Result<Json<Usage>, Refusal> {
    let (step, most) = if by.contains(&By::Hour) { (HOUR, MOST_DAYS_OF_HOURS) } else { (DAY, MOST_DAYS) };
    let span = Span::of(desk.now(), from.as_deref(), until.as_deref()).and_then(|span| span.within(most));
    let span = span.map_err(Wrong::asked)?.whole(step);
    let query = SumQuery { from: span.from, to: span.until, by, filter };
    let lines = desk.ledger.sums(&query).await?;
    let mut total = Sums::default();
    lines.iter().for_each(|line| total.add(&line.sums));
    let line = |SumLine { of, sums }: SumLine| Line {
        of: of.into_iter().map(|(by, of)| (by.name().to_owned(), of)).collect(),
        counted: sums.into(),
    };
    let (from, until) = span.words();
    Ok(Json(Usage { from, until, total: total.into(), lines: lines.into_iter().map(line).collect() }))
}

/// The rows of the ledger, one for each request to a provider, the newest first
#[utoipa::path(get, path = "/admin/api/usage/rows", tag = "usage", params(WantedRows), responses((status = 200, body = Listed<RowView>)))]
async fn rows(
    State(desk): State<Arc<Desk>>,
    Asked(wanted): Asked<WantedRows>,
) -> Result<Json<Listed<RowView>>, Refusal> {
    let RowPage { rows, next } = found(&desk, wanted, (100, 1_000)).await?;
    Ok(Json(Listed::part(rows.into_iter().map(RowView::from).collect(), next.map(|next| next.text()))))
}

/// The same as a table, comma-separated values with a line of names
///
/// Where more rows fit than there are in it, `x-causeway-next` is `after` of the next table.
#[utoipa::path(get, path = "/admin/api/usage/rows.csv", tag = "usage", params(WantedRows), responses((status = 200, content((String = "text/csv")))))]
async fn rows_as_table(
    State(desk): State<Arc<Desk>>,
    Asked(wanted): Asked<WantedRows>,
) -> Result<Response, Refusal> {
    let RowPage { rows, next } = found(&desk, wanted, (MOST_ROWS, MOST_ROWS)).await?;
    let about = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"usage.csv\""),
    ];
    let mut response = (about, account::csv(&rows)).into_response();
    if let Some(next) = next.and_then(|next| HeaderValue::try_from(next.text()).ok()) {
        response.headers_mut().insert(NEXT, next);
    }
    Ok(response)
}

async fn found(desk: &Desk, wanted: WantedRows, (usual, most): (u32, u32)) -> Result<RowPage, Refusal> {
    let WantedRows { from, until, key, user, team, model, provider, target, .. } = wanted;
    let WantedRows { outcome, request, limit, after, .. } = wanted;
    let span = Span::of(desk.now(), from.as_deref(), until.as_deref()).map_err(Wrong::asked)?;
    let limit = limit.unwrap_or(usual);
    if !(1..=most).contains(&limit) {
        return Err(Refusal::malformed(format!("`limit` is from 1 to {most}")).at("limit"));
    }
    let no_cursor = || Refusal::malformed("`after` is not `next` of a page before").at("after");
    let after = after.map(|after| Cursor::read(&after).ok_or_else(no_cursor)).transpose()?;
    let filter = Filter { key, user, team, model, provider, target };
    let (from, to, limit) = (span.from, span.until, limit as usize);
    let query = RowQuery { from, to, filter, outcome, request, limit, newest_first: true, after };
    Ok(desk.ledger.rows(&query).await?)
}

fn named(text: &str, known: &[By]) -> Result<Vec<By>, Refusal> {
    let mut all = Vec::new();
    for name in text.split(',') {
        let by = By::named(name).filter(|by| known.contains(by)).ok_or_else(|| {
            let known: Vec<_> = known.iter().map(|by| by.name()).collect();
            Refusal::malformed(format!("`{name}` is none of {}", known.join(", "))).at("by")
        })?;
        if all.contains(&by) {
            return Err(Refusal::malformed(format!("`{name}` stands there twice")).at("by"));
        }
        all.push(by);
    }
    Ok(all)
}
