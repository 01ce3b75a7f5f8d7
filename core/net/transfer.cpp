#include "core/net/transfer.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <new>
#include <string>

#include "core/base/os/socket.h"
#include "core/base/redact.h"
#include "core/base/text.h"
#include "core/crypto/openssl_memory.h"
#include "core/net/address.h"
#include "core/net/curl_memory.h"
#include "core/net/lookup.h"

namespace fleetauth::net {
namespace {

constexpr long kReceiveBuffer = 4 * 1024;
constexpr long kSmallestUploadBuffer = 16 * 1024;
constexpr long kLongestConnectionLifeSeconds = 300;
// The runtime's timers end a request in time; libcurl's own are for the case that nobody drives them.
constexpr std::int64_t kBackstopMs = 250;
constexpr std::size_t kFirstRoomForBody = 4096;

// Sets options until one fails.
class Setter {
 public:
  explicit Setter(CURL *easy) : easy_(easy) {}

  template <class Value>
  Setter &operator()(CURLoption option, Value value) {
    if (code_ == CURLE_OK) code_ = curl_easy_setopt(easy_, option, value);
    return *this;
  }
  [[nodiscard]] CURLcode code() const { return code_; }

 private:
  CURL *easy_;
  CURLcode code_ = CURLE_OK;
};

std::uint64_t failed_allocations() { return curl_failed_allocations() + crypto::openssl_failed_allocations(); }

bool has_header(const flow::HttpRequest &request, std::string_view name) {
  return std::any_of(request.headers.begin(), request.headers.end(),
                     [&](const flow::Header &header) { return text::equal_ignore_case(header.name, name); });
}

}  // namespace

Transfer::Transfer(std::uint64_t id, Easy easy, const flow::HttpRequest &request, std::shared_ptr<const NetOptions> options,
                   Connections &connections)
    : id_(id), easy_(std::move(easy)), request_(request), options_(std::move(options)), connections_(connections) {}

bool Transfer::is_tls() const { return text::equal_ignore_case(request_.url.view().substr(0, 8), "https://"); }

std::string_view Transfer::host() const {
  std::string_view host = request_.origin;  // scheme://host:port
  host.remove_prefix(std::min(host.size(), host.find("//") + 2));
  return host.substr(0, host.find(':'));
}

// ---------------------------------------------------------------- setting up

ErrorPtr Transfer::prepare() {
  for (const flow::Header &header : request_.headers) {
    if (!redact::is_header_name(header.name) || !redact::is_header_value(header.value.view())) {
      return refuse(ending(CURLE_OK), Status::Config,
                    "the value of the header " + redact::filter_code(header.name) +
                        " cannot be sent; it may hold printable ASCII only, without spaces around it")
          .error;
    }
  }
  if (request_.url.view().find('\0') != std::string_view::npos) return refuse(ending(CURLE_OK), Status::Url, "the URL holds a NUL").error;
  forget_lookup(host());
  failed_allocations_before_ = failed_allocations();
  CURLcode code = set_callbacks(this);
  if (code == CURLE_OK) code = set_request();
  if (code == CURLE_OK) code = set_headers();
  return code == CURLE_OK ? nullptr : describe(ending(code)).error;
}

// The same for every request. Redirects, cookies, netrc, HSTS and verbose output are off unless asked for, and stay so.
Easy make_handle(Connections &connections) {
  Easy easy(curl_easy_init(), curl_easy_cleanup);
  if (easy == nullptr) return easy;
  Setter set(easy.get());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a hung resolver thread is left behind instead of waited for
  // What libcurl puts a request and its answer into is cleared each time: no more of it than is of use.
  set(CURLOPT_BUFFERSIZE, kReceiveBuffer)(CURLOPT_UPLOAD_BUFFERSIZE, kSmallestUploadBuffer);

  set(CURLOPT_REDIR_PROTOCOLS_STR, "https")(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L)(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));  // HTTP/2 would leave copies of headers in memory
  set(CURLOPT_HTTP09_ALLOWED, 0L);
  set(CURLOPT_ACCEPT_ENCODING, nullptr);
  set(CURLOPT_MAXLIFETIME_CONN, kLongestConnectionLifeSeconds);

  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2))(CURLOPT_SSL_CIPHER_LIST, kTlsCiphers);
  set(CURLOPT_SSL_VERIFYPEER, 1L)(CURLOPT_SSL_VERIFYHOST, 2L);
  // A resumed session would not check the certificate again, perhaps under another CA.
  set(CURLOPT_SSL_SESSIONID_CACHE, 0L);
  set(CURLOPT_CAINFO, nullptr)(CURLOPT_CAPATH, nullptr);  // on_tls_context gives the certificates
  set(CURLOPT_PROXY_SSL_VERIFYPEER, 1L)(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
  set(CURLOPT_PROXY_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_PROXY_CAINFO, nullptr)(CURLOPT_PROXY_CAPATH, nullptr);
  set(CURLOPT_HTTPPROXYTUNNEL, 1L)(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L)(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));

  set(CURLOPT_SSL_CTX_FUNCTION, Transfer::on_tls_context)(CURLOPT_PREREQFUNCTION, Transfer::on_ready_to_send);
  set(CURLOPT_HEADERFUNCTION, Transfer::on_header)(CURLOPT_WRITEFUNCTION, Transfer::on_body);
  set(CURLOPT_OPENSOCKETFUNCTION, Transfer::on_open_socket);
  set(CURLOPT_CLOSESOCKETFUNCTION, Transfer::on_close_socket)(CURLOPT_CLOSESOCKETDATA, connections.sockets);
  if (set.code() != CURLE_OK) easy.reset();
  return easy;
}

CURLcode Transfer::set_callbacks(Transfer *to) {
  Setter set(easy_.get());
  set(CURLOPT_PRIVATE, to)(CURLOPT_ERRORBUFFER, to == nullptr ? nullptr : to->detail_.data());
  set(CURLOPT_SSL_CTX_DATA, to)(CURLOPT_PREREQDATA, to)(CURLOPT_OPENSOCKETDATA, to);
  set(CURLOPT_HEADERDATA, to)(CURLOPT_WRITEDATA, to);
  return set.code();
}

CURLcode Transfer::set_request() {
  Setter set(easy_.get());
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, options_->allow_loopback_http ? "https,http" : "https");
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_->connect_timeout_ms + kBackstopMs));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_->attempt_timeout_ms + kBackstopMs));
  set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request_.max_body));  // refuses a larger Content-Length at once
  set(CURLOPT_PINNEDPUBLICKEY, options_->pinned_public_key.empty() ? nullptr : options_->pinned_public_key.c_str());
  set(CURLOPT_USERAGENT, options_->user_agent.empty() ? nullptr : options_->user_agent.c_str());

  // libcurl repeats a request by itself when a reused connection dies; only requests that may be repeated reuse one.
  const bool fresh = request_.call_class != flow::CallClass::Idempotent;
  set(CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L)(CURLOPT_FORBID_REUSE, fresh ? 1L : 0L);

  // An empty text keeps libcurl from looking into the environment.
  const bool direct = !is_tls();
  set(CURLOPT_PROXY, direct ? "" : options_->proxy.url.c_str())(CURLOPT_NOPROXY, options_->proxy.bypass.c_str());

  set(CURLOPT_HTTPGET, 1L)(CURLOPT_CUSTOMREQUEST, nullptr);  // also takes back what an earlier request chose
  if (request_.method == "HEAD") return set(CURLOPT_NOBODY, 1L).code();
  if (request_.method == "GET" && request_.body.empty()) return set.code();
  // The body stays where it is: libcurl reads it from the request.
  set(CURLOPT_POST, 1L)(CURLOPT_POSTFIELDS, request_.body.c_str());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  if (request_.method != "POST") set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  return set.code();
}

CURLcode Transfer::set_headers() {
  SecretBytes line;
  const auto add = [&] {
    curl_slist *longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) return false;
    (void)headers_.release();
    headers_.reset(longer);
    line.clear();
    return true;
  };
  for (const flow::Header &header : request_.headers) {
    line.append(header.name);
    line.append(header.value.empty() ? ";" : ": ");  // libcurl's way to send an empty value
    line.append(header.value.view());
    if (!add()) return CURLE_OUT_OF_MEMORY;
  }
  if (!has_header(request_, "Content-Type")) {  // or libcurl adds one
    line.append("Content-Type:");
    if (!add()) return CURLE_OUT_OF_MEMORY;
  }
  return curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
}

// ---------------------------------------------------------------- connecting

curl_socket_t Transfer::on_open_socket(void *self, curlsocktype, curl_sockaddr *address) {
  return static_cast<Transfer *>(self)->open_socket(*address);
}

// Looks at the address itself: what a name leads to is not ours to decide.
curl_socket_t Transfer::open_socket(const curl_sockaddr &to) {
  const auto address = Address::of(&to.addr);
  if (!address || !address->may_be_reached(is_tls())) {
    address_refused_ = true;
    return CURL_SOCKET_BAD;
  }
  bool no_descriptors = false;
  const int fd = os::open_socket(to.family, to.socktype, to.protocol, no_descriptors);
  no_descriptors_ = no_descriptors_ || no_descriptors;
  if (fd < 0) return CURL_SOCKET_BAD;
  try {
    connections_.sockets->open.insert(fd);
  } catch (const std::bad_alloc &) {
    os::close_descriptor(fd);
    return CURL_SOCKET_BAD;
  }
  return fd;
}

int Transfer::on_close_socket(void *sockets, curl_socket_t fd) {
  auto &all = *static_cast<Sockets *>(sockets);
  all.open.erase(fd);
  all.watched.erase(fd);
  os::close_descriptor(fd);
  return 0;
}

CURLcode Transfer::on_tls_context(CURL *, void *context, void *self) {
  try {
    return static_cast<Transfer *>(self)->set_up_context(static_cast<SSL_CTX *>(context));
  } catch (const std::bad_alloc &) {
    return CURLE_OUT_OF_MEMORY;
  }
}

CURLcode Transfer::set_up_context(SSL_CTX *context) {
  if (!connections_.trust) {
    auto trust = load_trust(options_->ca_file, options_->ca_pem);
    if (!trust) {
      trust_error_ = trust.error();
      return CURLE_SSL_CACERT_BADFILE;
    }
    connections_.trust = std::move(*trust);
  }
  set_up_tls_context(context, *connections_.trust);
  return CURLE_OK;
}

int Transfer::on_ready_to_send(void *self, char *, char *, int, int) {
  static_cast<Transfer *>(self)->sent_ = flow::Sent::Maybe;
  return CURL_PREREQFUNC_OK;
}

// ---------------------------------------------------------------- the answer

std::size_t Transfer::abort(Status status, const char *what) {
  abort_status_ = status;
  abort_reason_ = what;
  return 0;  // less than was offered: libcurl gives up
}

std::size_t Transfer::on_header(char *data, std::size_t size, std::size_t count, void *self) {
  auto *transfer = static_cast<Transfer *>(self);
  try {
    return transfer->take_header({data, size * count});
  } catch (const std::bad_alloc &) {
    return transfer->abort(Status::NoMem, "memory ran out");
  }
}

std::size_t Transfer::take_header(std::string_view line) {
  const std::size_t taken = line.size();
  header_bytes_ += taken;
  if (header_bytes_ > flow::kMaxHeaders) return abort(Status::TooLarge, "the answer's headers are above the limit of 64 KiB");
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {  // another answer after an interim one
    response_.headers.clear();
    in_trailer_ = false;
    return taken;
  }
  if (line.empty()) in_trailer_ = true;
  if (in_trailer_) return taken;
  if (line.front() == ' ' || line.front() == '\t') return abort(Status::Protocol, "the answer has a folded header, which HTTP/1.1 forbids");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return abort(Status::Protocol, "the answer has a header without a colon");

  const std::string_view name = line.substr(0, colon);
  const std::string_view value = text::trim(line.substr(colon + 1));
  if (text::equal_ignore_case(name, "Content-Encoding") && !value.empty() && !text::equal_ignore_case(value, "identity")) {
    return abort(Status::Protocol, "the answer is compressed although that was not asked for");
  }
  response_.headers.push_back({std::string(name), SecretBytes(value)});
  return taken;
}

std::size_t Transfer::on_body(char *data, std::size_t size, std::size_t count, void *self) {
  auto *transfer = static_cast<Transfer *>(self);
  try {
    return transfer->take_body({data, size * count});
  } catch (const std::bad_alloc &) {
    return transfer->abort(Status::NoMem, "memory ran out");
  }
}

std::size_t Transfer::take_body(std::string_view bytes) {
  if (bytes.size() > request_.max_body - response_.body.size()) {
    body_is_too_large_ = true;
    return 0;
  }
  if (response_.body.empty()) response_.body.reserve(std::max(kFirstRoomForBody, bytes.size()));
  response_.body.append(bytes);
  return bytes.size();
}

// ---------------------------------------------------------------- the end

Ending Transfer::ending(CURLcode code) const {
  Ending e;
  e.code = code;
  e.call_class = request_.call_class;
  e.max_body = request_.max_body;
  e.sent = sent_;
  if (is_tls()) e.proxy = options_->proxy.printable;
  e.proxy_has_exceptions = !options_->proxy.bypass.empty();
  if (connections_.trust) e.ca_source = connections_.trust->source;
  e.detail = detail_.data();
  curl_easy_getinfo(easy_.get(), CURLINFO_SSL_VERIFYRESULT, &e.verify_result);
  curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_CONNECTCODE, &e.connect_status);
  e.no_name = code == CURLE_COULDNT_RESOLVE_HOST && is_no_name(host());
  e.address_refused = address_refused_;
  e.no_descriptors = no_descriptors_;
  e.out_of_memory = failed_allocations() != failed_allocations_before_;
  e.connect_timeout_ms = options_->connect_timeout_ms;
  e.attempt_timeout_ms = options_->attempt_timeout_ms;
  return e;
}

Outcome Transfer::finish(CURLcode code) {
  if (trust_error_ != nullptr) return flow::HttpFailure{trust_error_, sent_};
  if (abort_status_ != Status::Ok) return refuse(ending(code), abort_status_, abort_reason_);
  if (body_is_too_large_) code = CURLE_FILESIZE_EXCEEDED;
  if (code != CURLE_OK) return describe(ending(code));
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status < 200) return refuse(ending(code), Status::Protocol, "the answer is an interim one and nothing followed");
  response_.status = static_cast<std::int32_t>(status);
  complete_ = true;
  return std::move(response_);
}

void Transfer::return_handle() {
  // A parsed URL stays in the handle until its next use, and a query may hold a secret; and what a failed transfer leaves is not known.
  const bool may_hold_secret = request_.url.view().find('?') != std::string_view::npos;
  if (!complete_ || may_hold_secret || connections_.idle_handles.size() >= kIdleHandles) return;
  Setter set(easy_.get());
  set(CURLOPT_HTTPHEADER, nullptr)(CURLOPT_POSTFIELDS, nullptr)(CURLOPT_HTTPGET, 1L);
  if (set.code() == CURLE_OK && set_callbacks(nullptr) == CURLE_OK) connections_.idle_handles.push_back(std::move(easy_));
}

}  // namespace fleetauth::net
