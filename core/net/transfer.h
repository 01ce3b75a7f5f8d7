#pragma once

#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/flow/http.h"
#include "core/net/connections.h"
#include "core/net/failure.h"

namespace fleetauth::net {

/// A handle that obeys the policy which is the same for every request; empty when memory ran out.
Easy make_handle(Connections &connections);

/// One request on its way: sets libcurl's handle up for it, gathers the answer within its limits, says how it ended.
class Transfer {
 public:
  /// `request` and `connections` outlive it.
  Transfer(std::uint64_t id, Easy easy, const flow::HttpRequest &request, std::shared_ptr<const NetOptions> options,
           Connections &connections);

  /// Null, or why the request cannot be sent at all.
  ErrorPtr prepare();
  /// What became of it; to be called once, when libcurl is done with the handle.
  Outcome finish(CURLcode code);
  /// The same when libcurl itself cannot go on.
  Outcome give_up(Status status, std::string_view why) const { return refuse(ending(CURLE_OK), status, why); }
  /// Gives the handle back to its connections without anything of this request in it, if it may be used again.
  void return_handle();

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] CURL *easy() const { return easy_.get(); }
  [[nodiscard]] Connections &connections() const { return connections_; }
  [[nodiscard]] flow::Sent sent() const { return sent_; }

 private:
  [[nodiscard]] CURLcode set_request();
  [[nodiscard]] CURLcode set_callbacks(Transfer *to);
  [[nodiscard]] CURLcode set_headers();
  [[nodiscard]] bool is_tls() const;
  [[nodiscard]] std::string_view host() const;
  [[nodiscard]] Ending ending(CURLcode code) const;
  std::size_t abort(Status status, const char *what);

  // libcurl's callbacks.
  friend Easy make_handle(Connections &connections);
  static std::size_t on_header(char *data, std::size_t size, std::size_t count, void *self);
  static std::size_t on_body(char *data, std::size_t size, std::size_t count, void *self);
  static int on_ready_to_send(void *self, char *, char *, int, int);
  static curl_socket_t on_open_socket(void *self, curlsocktype, curl_sockaddr *address);
  static int on_close_socket(void *sockets, curl_socket_t fd);
  static CURLcode on_tls_context(CURL *, void *context, void *self);

  std::size_t take_header(std::string_view line);
  std::size_t take_body(std::string_view bytes);
  curl_socket_t open_socket(const curl_sockaddr &address);
  CURLcode set_up_context(SSL_CTX *context);

  std::uint64_t id_;
  Easy easy_;
  const flow::HttpRequest &request_;
  std::shared_ptr<const NetOptions> options_;
  Connections &connections_;

  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_{nullptr, curl_slist_free_all};
  flow::HttpResponse response_;
  std::size_t header_bytes_ = 0;
  bool in_trailer_ = false;
  bool complete_ = false;

  flow::Sent sent_ = flow::Sent::No;
  Status abort_status_ = Status::Ok;
  const char *abort_reason_ = "";
  bool body_is_too_large_ = false;
  ErrorPtr trust_error_;
  bool address_refused_ = false;
  bool no_descriptors_ = false;
  std::uint64_t failed_allocations_before_ = 0;
  std::array<char, CURL_ERROR_SIZE> detail_{};
};

}  // namespace fleetauth::net
