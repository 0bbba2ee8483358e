//! `wasi:http` is linked, since some toolchains import it unasked, and goes nowhere.

use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

/// Refuses every request.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeniedHttp;

type Outcome = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for DeniedHttp {
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _outcome: Outcome,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Outcome)>> + Send> {
        Box::new(std::future::ready(Err(Error::HttpRequestDenied)))
    }
}
