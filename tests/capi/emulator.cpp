#include "tests/capi/emulator.h"

#include <fcntl.h>
#include <httplib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace capi {

namespace {

std::string read_line(int fd) {
  std::string line;
  char c = 0;
  while (TEMP_FAILURE_RETRY(read(fd, &c, 1)) == 1 && c != '\n') line.push_back(c);
  return line;
}

/// A new connection to the emulator at `url`.
std::unique_ptr<httplib::SSLClient> connect(const std::string &url, const std::string &ca_file) {
  auto https = std::make_unique<httplib::SSLClient>("127.0.0.1", std::stoi(url.substr(url.rfind(':') + 1)));
  https->set_ca_cert_path(ca_file.c_str());
  https->enable_server_certificate_verification(true);
  https->set_read_timeout(30);
  return https;
}

/// The options of `texts`, each replaced by the one of the same name in `more`.
Texts merged(Texts texts, const Texts &more) {
  for (const auto &[name, value] : more) {
    std::erase_if(texts, [&name = name](const auto &text) { return text.first == name; });
    texts.emplace_back(name, value);
  }
  return texts;
}

[[noreturn]] void broken(const std::string &what, const Error &error) {
  throw std::runtime_error(what + ": " + text_of(fleetauth_error_message, error.get()));
}

}  // namespace

Emulator::Emulator() {
  std::string pattern = std::filesystem::temp_directory_path() / "fleetauth-test-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = pattern;
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  child_ = fork();
  if (child_ == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execl(EMULATOR_COMMAND, EMULATOR_COMMAND, "--json", "--with-parent", "--dir", directory_.c_str(), nullptr);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  stdin_ = in[1];
  const std::string line = read_line(out[0]);
  close(out[0]);
  const auto ready = nlohmann::json::parse(line);
  url_ = ready.at("url");
  ca_file_ = ready.at("ca_file");
  admin_token_ = ready.at("admin_token");
}

Emulator::~Emulator() {
  close(stdin_);
  TEMP_FAILURE_RETRY(waitpid(child_, nullptr, 0));
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

nlohmann::json Emulator::admin(const std::string &method, const std::string &path, const nlohmann::json &body) {
  const auto https = connect(url_, ca_file_);
  httplib::Request request;
  request.method = method;
  request.path = "/_emulator" + path;
  request.headers = {{"Authorization", "Bearer " + admin_token_}};
  if (!body.is_null()) {
    request.body = body.dump();
    request.set_header("Content-Type", "application/json");
  }
  const auto result = https->send(request);
  if (!result || result->status != 200) {
    throw std::runtime_error("the emulator's " + path + ": " + (result ? result->body : httplib::to_string(result.error())));
  }
  return nlohmann::json::parse(result->body);
}

void Emulator::fault(const nlohmann::json &what) { admin("POST", "/faults", what); }

std::size_t Emulator::requests(const std::string &flow) {
  const nlohmann::json log = admin("GET", "/log");
  std::size_t count = 0;
  for (const auto &entry : log.at("entries")) count += entry.at("flow") == flow ? 1 : 0;
  return count;
}

void Emulator::await_requests(std::size_t count) {
  await_requests(count, 10'000, [] {});
}

void Emulator::await_requests(std::size_t count, fleetauth_queue *driven) {
  await_requests(count, 10, [driven] { take_outcome(driven, 10); });
}

void Emulator::await_requests(std::size_t count, int at_once_ms, const std::function<void()> &meanwhile) {
  const std::string log = "/log?timeout_ms=" + std::to_string(at_once_ms) + "&wait_for=" + std::to_string(count);
  for (int waited_ms = 0; waited_ms < 10'000; waited_ms += at_once_ms) {
    meanwhile();
    if (admin("GET", log).at("complete").get<bool>()) return;
  }
  throw std::runtime_error("the requests did not arrive");
}

HttpAnswer Emulator::get(const std::string &url, fleetauth_token *token) { return send("GET", url, token, ""); }

HttpAnswer Emulator::post(const std::string &url, fleetauth_token *token, const nlohmann::json &body) {
  return send("POST", url, token, body.dump());
}

HttpAnswer Emulator::send(const std::string &method, const std::string &url, fleetauth_token *token, const std::string &body) {
  const auto https = connect(url_, ca_file_);
  httplib::Request request;
  request.method = method;
  request.path = url.substr(url_.size());
  request.body = body;
  if (!body.empty()) request.set_header("Content-Type", "application/json");
  for (std::int32_t i = 0; i < fleetauth_token_header_count(token); ++i) {
    request.set_header(fleetauth_token_header_name(token, i, nullptr), fleetauth_token_header_value(token, i, nullptr));
  }
  const auto result = https->send(request);
  if (!result) throw std::runtime_error("the emulator does not answer: " + httplib::to_string(result.error()));
  return {result->status, result->body, result->get_header_value("Date")};
}

Texts fleetup_options(const Emulator &emulator, const Texts &more) {
  return merged({{"api_key", "demo-api-key"},
                 {"acct_id", "12345"},
                 {"secret", "your-app-secret"},
                 {"base_url", emulator.url() + "/fleetup"},
                 {"ca_file", emulator.ca_file()},
                 {"proxy", "none"}},
                more);
}

Texts my_connected_fleet_options(const Emulator &emulator, const Texts &more) {
  return merged({{"client_id", "demo-client"},
                 {"client_secret", "demo-secret"},
                 {"auth_base_url", emulator.url() + "/mcf-auth"},
                 {"api_base_url", emulator.url() + "/mcf-api"},
                 {"ca_file", emulator.ca_file()},
                 {"proxy", "none"}},
                more);
}

Options make_options(const Texts &texts) {
  Options options;
  Error error;
  if (fleetauth_options_new(options.out(), error.out()) != FLEETAUTH_OK) broken("options", error);
  for (const auto &[name, value] : texts) {
    if (fleetauth_options_set_text(options.get(), name.data(), name.size(), value.data(), value.size(), error.out()) != FLEETAUTH_OK) {
      broken(name, error);
    }
  }
  return options;
}

Runtime make_runtime(const Texts &texts, fleetauth_clock *clock) {
  const Options options = make_options(texts);
  Runtime runtime;
  Error error;
  if (fleetauth_runtime_new(options.get(), clock, runtime.out(), error.out()) != FLEETAUTH_OK) broken("the runtime", error);
  return runtime;
}

Client make_client(fleetauth_runtime *runtime, const std::string &provider, const Texts &texts) {
  const Options options = make_options(texts);
  Provider builtin;
  Client client;
  Error error;
  if (fleetauth_provider_builtin(provider.data(), provider.size(), builtin.out(), error.out()) != FLEETAUTH_OK) broken(provider, error);
  if (fleetauth_client_new(runtime, builtin.get(), options.get(), client.out(), error.out()) != FLEETAUTH_OK) broken("the client", error);
  return client;
}

Queue make_queue(fleetauth_runtime *runtime, std::int32_t kind) {
  Queue queue;
  Error error;
  if (fleetauth_queue_new(runtime, kind, queue.out(), error.out()) != FLEETAUTH_OK) broken("the queue", error);
  return queue;
}

Op start(fleetauth_client *client, fleetauth_queue *queue, std::int64_t tag, const std::string &url) {
  Op op;
  Error error;
  const char *data = url.empty() ? nullptr : url.data();
  if (fleetauth_client_start(client, nullptr, nullptr, 0, data, url.size(), queue, tag, op.out(), error.out()) != FLEETAUTH_OK) {
    broken("starting", error);
  }
  return op;
}

Outcome get_token(fleetauth_client *client, const std::string &url) {
  Outcome outcome;
  const char *data = url.empty() ? nullptr : url.data();
  outcome.status = fleetauth_client_token(client, nullptr, nullptr, 0, data, url.size(), outcome.token.out(), outcome.error.out());
  return outcome;
}

Outcome take_outcome(fleetauth_queue *queue, std::int64_t timeout_ms, std::int64_t *tag) {
  Event event;
  Outcome outcome;
  outcome.status = fleetauth_queue_next(queue, timeout_ms, event.out(), outcome.error.out());
  if (outcome.status != FLEETAUTH_OK) return outcome;
  if (tag != nullptr) *tag = fleetauth_event_tag(event.get());
  outcome.status = fleetauth_event_token(event.get(), outcome.token.out(), outcome.error.out());
  return outcome;
}

}  // namespace capi
