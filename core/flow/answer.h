#pragma once

#include <optional>
#include <string>

#include "core/base/json.h"
#include "core/flow/http.h"
#include "core/provider/client_config.h"

namespace fleetauth::flow {

/// The largest body that the step's answer may have.
[[nodiscard]] std::size_t max_body(const provider::Step &step);

/// What must hold of any answer before a flow looks into it: limits, no redirect, no encoding, the step's success statuses, a body of
/// a type that was asked for. Null when it holds; else the error, with Retry-After and the provider's code.
ErrorPtr check_answer(const provider::ClientConfig &config, const provider::Step &step, const HttpResponse &response, const Now &now);

/// The JSON of an answer that check_answer let pass, unless it says itself that the request failed.
Result<json::Document> read_success(const provider::ClientConfig &config, const provider::Step &step, const HttpResponse &response,
                                    const Now &now);

/// The error of an answer that is no success, by the step's rules and then by its status. `answer` is its body if that is JSON.
ErrorPtr refusal(const provider::ClientConfig &config, const provider::Step &step, const HttpResponse &response,
                 const std::optional<json::Document> &answer, const Now &now);

/// An error about a success status whose content is not what the step promises.
ErrorPtr malformed(const provider::ClientConfig &config, const provider::Step &step, const HttpResponse &response, const std::string &what);

/// The error of a request that was never answered, completed with what only the flow knows.
ErrorPtr unanswered(const provider::ClientConfig &config, const provider::Step &step, const HttpFailure &failure);

/// The body as JSON. Numbers beyond every range, and the NaN and Infinity that some servers write, do not cost the rest of the answer.
Result<json::Document> parse_answer(const SecretBytes &body);

}  // namespace fleetauth::flow
