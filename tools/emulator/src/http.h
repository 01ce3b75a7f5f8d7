// Requests and answers as the providers see them, independent of the HTTP library.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fleetauth::emulator {

using nlohmann::json;

using Header = std::pair<std::string, std::string>;

// Names and values of a query or a form, decoded, in order.
using Fields = std::vector<std::pair<std::string, std::string>>;

// Empty when a percent escape is broken.
std::optional<Fields> parse_fields(std::string_view encoded);
// A segment of a path, in which '+' is no space. Empty when a percent escape is broken.
std::optional<std::string> decode_segment(std::string_view encoded);
// The value of a field that occurs exactly once.
std::optional<std::string> single(const Fields &fields, std::string_view name);

struct Request {
  std::string method;
  std::string path;   // as sent, not decoded
  std::string query;  // as sent, without '?'
  std::vector<Header> headers;
  std::string body;
  std::map<std::string, std::string> parameters;  // the {names} of the route
  std::uint64_t connection = 0;                   // number of the connection, from 1
  std::uint64_t on_connection = 0;                // number of the request on it, from 1

  // The value of a header that occurs exactly once; names compare without case.
  std::optional<std::string> header(std::string_view name) const;
  // The media type alone, in lower case: "application/json".
  std::string content_type() const;
};

// What happens to the bytes of an answer below HTTP.
struct Delivery {
  bool drop = false;   // close the connection without an answer
  bool reset = false;  // ... by a TCP reset instead of an orderly end
  std::optional<std::size_t> truncate_body;
  std::optional<std::string> raw;  // sent in place of the whole answer
  std::function<void()> done;      // called once the answer has been sent
};

struct Response {
  int status = 200;
  std::vector<Header> headers;
  std::string content_type;
  std::string body;
  Delivery delivery;

  void remove_header(std::string_view name);
  void set_header(std::string_view name, std::string value);
};

Response json_response(int status, const json &body);
Response text_response(int status, std::string text);

// Everything after "<scheme> " of an Authorization header, when the scheme fits (case does not matter).
std::optional<std::string> credentials_of_scheme(const Request &request, std::string_view scheme);

struct BasicCredentials {
  std::string user;
  std::string password;
};
std::optional<BasicCredentials> basic_credentials(const Request &request);

bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string lower_case(std::string_view text);

}  // namespace fleetauth::emulator
