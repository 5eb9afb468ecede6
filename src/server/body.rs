//! Bodies of requests.

use super::problem::{invalid, shortened};
use axum::Json;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A JSON object. Lists, which structures can be read from too, are refused, and so is what is wrong with a field, by
/// its name.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let Json(fields) = Json::<Map<String, Value>>::from_request(request, state)
            .await
            .map_err(IntoResponse::into_response)?;
        serde_path_to_error::deserialize(Value::Object(fields))
            .map(Self)
            .map_err(|error| {
                let field = match error.path().to_string() {
                    path if path == "." => "body".to_owned(),
                    path => path,
                };
                let field = shortened(&field);
                let inner = shortened(&error.inner().to_string());
                let message = format!("`{field}`: {inner}");
                invalid(&field, message).into_response()
            })
    }
}
