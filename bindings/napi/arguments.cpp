#include "bindings/napi/arguments.h"

#include <string.h>

#include <cmath>
#include <limits>

namespace fleetauth::node {

Text::Text(Napi::Env env, napi_value string) : present_(true) {
  std::size_t size = 0;
  napi_status status = napi_get_value_string_utf8(env, string, nullptr, 0, &size);
  NAPI_THROW_IF_FAILED_VOID(env, status);
  text_.resize(size);  // once: a string that grows would leave copies behind
  status = napi_get_value_string_utf8(env, string, text_.data(), size + 1, &size);
  NAPI_THROW_IF_FAILED_VOID(env, status);
}

Text::~Text() { explicit_bzero(text_.data(), text_.size()); }

Text Arguments::text(std::size_t index, const char *name) const {
  if (!info_[index].IsString()) refuse(name, "a string");
  return {env(), info_[index]};
}

Text Arguments::optional_text(std::size_t index, const char *name) const {
  if (absent(index)) return {};
  return text(index, name);
}

Bytes Arguments::bytes(std::size_t index, const char *name) const {
  const Napi::Value value = info_[index];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) refuse(name, "a Uint8Array");
  const auto array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

std::int32_t Arguments::i32(std::size_t index, const char *name) const {
  return static_cast<std::int32_t>(integer(index, name, std::numeric_limits<std::int32_t>::max()));
}

std::int64_t Arguments::i64(std::size_t index, const char *name) const {
  return static_cast<std::int64_t>(integer(index, name, 9007199254740991.0));
}

double Arguments::integer(std::size_t index, const char *name, double limit) const {
  if (!info_[index].IsNumber()) refuse(name, "an integer");
  const double number = info_[index].As<Napi::Number>().DoubleValue();
  if (std::trunc(number) != number || std::abs(number) > limit) refuse(name, "an integer in range");
  return number;
}

Napi::Function Arguments::function(std::size_t index, const char *name) const {
  if (!info_[index].IsFunction()) refuse(name, "a function");
  return info_[index].As<Napi::Function>();
}

void Arguments::refuse(const char *name, const char *expected) const {
  throw Napi::TypeError::New(env(), std::string(function_) + ": " + name + " must be " + expected);
}

Napi::Value to_js(Napi::Env env, const char *text, std::size_t size) {
  if (text == nullptr) return env.Null();
  return Napi::String::New(env, text, size);
}

Napi::Value to_js(Napi::Env env, const std::uint8_t *bytes, std::size_t size) {
  if (bytes == nullptr) return env.Null();
  return Napi::Buffer<std::uint8_t>::Copy(env, bytes, size);
}

}  // namespace fleetauth::node
