//! The worst contracts of a run as they were hedged: as JSON, and their part of the run's page.

use super::answer::json;
use super::app::App;
use super::charts::{bad_request, of_results};
use super::described::{RUNS, Refusal};
use super::elements::slots;
use super::problem::{Problem, missing};
use crate::charts::{self, Figure};
use crate::report::palette::Palette;
use crate::report::summary::strategies;
use crate::report::tear_sheet::{Leading, WorstContract, worst_contracts};
use crate::runs::walk_forward::Results;
use axum::extract::{Path as Segment, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::NaiveDate;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which contract is shown.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContractQuery {
    /// The day on which the contract was sold, as `2020-02-19`; the first of the worst contracts unless given.
    sold: Option<String>,
}

/// Every strategy on one contract of the past, and charts of spot, positions, trades and P&L.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContractAnswer {
    #[serde(flatten)]
    contract: WorstContract,
    figures: Vec<Figure>,
}

/// One of the worst contracts on history as every strategy of the run hedged it, with charts of it.
#[utoipa::path(get, path = "/api/v1/runs/{id}/contracts", tag = RUNS,
    params(("id" = String, Path, description = "Run"), ContractQuery),
    responses((status = 200, body = ContractAnswer), (status = 400, body = Refusal), (status = 404, body = Refusal),
              (status = 409, description = "No results yet", body = Refusal)))]
pub async fn contract(
    State(app): State<App>,
    Segment(id): Segment<String>,
    Query(query): Query<ContractQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let what = format!("contract {}", query.sold.as_deref().unwrap_or_default());
    of_results(&app, &headers, what, &id, move |folder, metrics| {
        let none = || missing(format!("run `{}` has no worst contracts", folder.id()));
        let contracts = worst_contracts(&folder.worst_contracts()?.ok_or_else(none)?);
        let place = match &query.sold {
            None => 0,
            Some(sold) => {
                let day: Option<NaiveDate> = sold.parse().ok();
                let found = contracts.iter().position(|one| Some(one.sold) == day);
                found.ok_or_else(|| {
                    let days: Vec<String> = contracts.iter().map(|c| c.sold.to_string()).collect();
                    let message = format!("`sold`: must be one of {}", days.join(", "));
                    bad_request(Some("sold"), message)
                })?
            }
        };
        let contract = contracts.into_iter().nth(place).ok_or_else(none)?;
        let leading = Leading::of(metrics, Results::of_run(folder)?.as_ref());
        let palette = Palette::new(strategies(metrics));
        let figures = charts::contract(&contract, leading.as_ref(), &palette);
        json(&ContractAnswer { contract, figures })
    })
    .await
}

/// The form that asks for one of the contracts sold on these days, and where it is drawn; `still` stands there without script, and in print.
pub fn explorer(id: &str, sales: &[(NaiveDate, String)], still: &Markup) -> Markup {
    html! {
        div id="contracts" {
            form class="contracts" data-run=(id) {
                label {
                    "Contract sold on "
                    select name="sold" {
                        @for (sold, words) in sales { option value=(sold) { (words) } }
                    }
                }
            }
            (slots(&[
                "The spot at the scale of the hedge, of several assets relative to that of the sale; the dotted line is the strike, where there is one.",
                "What each strategy holds from each close to the next, and the model's delta of the contract.",
                "What each strategy buys, or sells where negative.",
                "P&L up to each close, with the contract at its price.",
            ]))
            div class="stills" { (still) }
        }
    }
}
