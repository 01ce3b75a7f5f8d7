#include "tools/fleetauth/http.h"

#include <curl/curl.h>

#include <memory>

#include "tools/fleetauth/console.h"

namespace fleetauth::command {

namespace {

constexpr std::size_t kMaxBody = 16U << 20U;
constexpr long kTimeoutSeconds = 60;

struct FreeHandle {
  void operator()(CURL *handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist *list) const { curl_slist_free_all(list); }
};

std::size_t append(char *data, std::size_t size, std::size_t count, void *into) {
  auto &body = *static_cast<std::string *>(into);
  const std::size_t bytes = size * count;
  if (body.size() + bytes > kMaxBody) return 0;
  body.append(data, bytes);
  return bytes;
}

}  // namespace

HttpAnswer send(const HttpCall &call) {
  const std::unique_ptr<CURL, FreeHandle> handle(curl_easy_init());
  if (handle == nullptr) throw std::bad_alloc();
  std::unique_ptr<curl_slist, FreeList> headers;
  for (const auto &[name, value] : call.headers) {
    curl_slist *longer = curl_slist_append(headers.get(), (name + ": " + value).c_str());
    if (longer == nullptr) throw std::bad_alloc();
    (void)headers.release();  // NOLINT(bugprone-unused-return-value): it is part of the longer list now
    headers.reset(longer);
  }
  HttpAnswer answer;
  curl_easy_setopt(handle.get(), CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_CUSTOMREQUEST, call.method.c_str());
  if (call.method == "HEAD") curl_easy_setopt(handle.get(), CURLOPT_NOBODY, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, call.allow_http ? "https,http" : "https");
  curl_easy_setopt(handle.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT, kTimeoutSeconds);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &answer.body);
  if (!call.ca_file.empty()) curl_easy_setopt(handle.get(), CURLOPT_CAINFO, call.ca_file.c_str());
  if (call.body) {
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body->size()));
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, call.body->data());
  }
  const CURLcode code = curl_easy_perform(handle.get());
  if (code != CURLE_OK) throw SetupError(std::string("the request failed: ") + curl_easy_strerror(code));
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace fleetauth::command
