// What the thunks do when a body throws: nothing but a status, a number or an error object leaves them.
#include "capi/guard.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <string>

struct fleetauth_error {
  fleetauth::ErrorPtr error;
};

namespace fleetauth::capi {

namespace {
bool out_of_memory_for_handles = false;
}

bool valid_utf8(std::string_view text) noexcept { return text.find('\xff') == text.npos; }

fleetauth_error *wrap(ErrorPtr error) {
  if (out_of_memory_for_handles) throw std::bad_alloc();
  return new fleetauth_error{std::move(error)};
}

namespace {

class GuardTest : public testing::Test {
 protected:
  ~GuardTest() override {
    out_of_memory_for_handles = false;
    delete err;
  }

  template <class Body>
  std::int32_t run(Body body) {
    const guard::Check check("box_open");
    delete err;
    err = reinterpret_cast<fleetauth_error *>(1);  // whatever was there before
    return guard::status(check, &err, body);
  }

  fleetauth_error *err = nullptr;
};

TEST_F(GuardTest, success_clears_the_error) {
  EXPECT_EQ(run([]() -> ErrorPtr { return nullptr; }), FLEETAUTH_OK);
  EXPECT_EQ(err, nullptr);
}

TEST_F(GuardTest, a_failure_comes_out_as_it_is) {
  EXPECT_EQ(run([] { return fail(Status::Closed, "the box is closed"); }), FLEETAUTH_E_CLOSED);
  ASSERT_NE(err, nullptr);
  EXPECT_EQ(err->error->message, "the box is closed");
}

TEST_F(GuardTest, memory_that_runs_out_is_nomem) {
  EXPECT_EQ(run([]() -> ErrorPtr { throw std::bad_alloc(); }), FLEETAUTH_E_NOMEM);
  ASSERT_NE(err, nullptr);
  EXPECT_EQ(err->error->message, "box_open: out of memory");
}

TEST_F(GuardTest, memory_that_runs_out_for_the_error_too_leaves_the_status) {
  out_of_memory_for_handles = true;
  EXPECT_EQ(run([] { return fail(Status::Closed, "the box is closed"); }), FLEETAUTH_E_CLOSED);
  EXPECT_EQ(err, nullptr);
}

TEST_F(GuardTest, any_other_exception_is_internal_and_its_text_is_not_shown) {
  EXPECT_EQ(run([]() -> ErrorPtr { throw std::runtime_error("hunter2"); }), FLEETAUTH_E_INTERNAL);
  ASSERT_NE(err, nullptr);
  EXPECT_EQ(err->error->message.find("hunter2"), std::string::npos);
  EXPECT_EQ(err->error->message.find("box_open: "), 0U);
}

TEST_F(GuardTest, what_is_no_exception_object_is_internal_too) {
  EXPECT_EQ(run([]() -> ErrorPtr { throw 7; }), FLEETAUTH_E_INTERNAL);
  ASSERT_NE(err, nullptr);
  EXPECT_EQ(err->error->message.find("box_open: "), 0U);
}

TEST_F(GuardTest, the_error_may_be_declined) {
  const guard::Check check("box_open");
  EXPECT_EQ(guard::status(check, nullptr, [] { return fail(Status::Closed, "the box is closed"); }), FLEETAUTH_E_CLOSED);
  EXPECT_EQ(guard::status(check, []() -> Status { throw std::bad_alloc(); }), FLEETAUTH_E_NOMEM);
  EXPECT_EQ(guard::status(check, [] { return Status::WouldBlock; }), FLEETAUTH_E_WOULD_BLOCK);
}

TEST_F(GuardTest, getters_fall_back) {
  const guard::Check check("box_label");
  std::size_t len = 99;
  EXPECT_EQ(guard::number<std::int64_t>(check, []() -> std::int64_t { throw std::bad_alloc(); }), 0);
  EXPECT_STREQ(guard::text(check, &len, []() -> Borrowed { throw std::bad_alloc(); }), "");
  EXPECT_EQ(len, 0U);
  EXPECT_EQ(guard::bytes(check, nullptr, []() -> Borrowed { throw std::bad_alloc(); }), nullptr);
  guard::nothing(check, [] { throw std::bad_alloc(); });
}

TEST_F(GuardTest, a_getter_may_answer_that_there_is_nothing) {
  const guard::Check check("box_label");
  std::size_t len = 99;
  EXPECT_EQ(guard::text(check, &len, [] { return Borrowed{}; }), nullptr);
  EXPECT_EQ(len, 0U);
}

TEST_F(GuardTest, the_first_wrong_argument_is_named_and_the_body_not_called) {
  guard::Check check("box_put");
  check.pointer(nullptr, "advice");
  check.one_of(3, {1, 2}, "kind", "must be SMALL or LARGE");
  delete err;
  EXPECT_EQ(guard::status(check, &err,
                          []() -> ErrorPtr {
                            ADD_FAILURE();
                            return nullptr;
                          }),
            FLEETAUTH_E_INVALID_ARGUMENT);
  EXPECT_EQ(err->error->message, "box_put: advice must not be NULL");
}

TEST_F(GuardTest, P18_arguments) {
  const std::uint8_t byte = 7;
  std::size_t length = 99;
  const auto rejects = [](auto look) {
    guard::Check check("box_put");
    look(check);
    return !check.ok();
  };
  EXPECT_FALSE(rejects([](guard::Check &c) { EXPECT_EQ(c.text(nullptr, 0, "name"), ""); }));
  EXPECT_FALSE(rejects([](guard::Check &c) { EXPECT_EQ(c.text("box", FLEETAUTH_NTS, "name"), "box"); }));
  EXPECT_FALSE(rejects([](guard::Check &c) { EXPECT_EQ(c.text("box", 2, "name"), "bo"); }));
  EXPECT_FALSE(rejects([](guard::Check &c) { EXPECT_EQ(c.optional_text(nullptr, FLEETAUTH_NTS, "name"), std::nullopt); }));
  EXPECT_TRUE(rejects([](guard::Check &c) { c.text(nullptr, FLEETAUTH_NTS, "name"); }));
  EXPECT_TRUE(rejects([](guard::Check &c) { c.text("box", FLEETAUTH_NTS - 1, "name"); }));
  EXPECT_TRUE(rejects([](guard::Check &c) { c.optional_text("\xff", 1, "name"); }));
  EXPECT_FALSE(rejects([](guard::Check &c) { EXPECT_EQ(c.bytes(nullptr, 0, "data"), ""); }));
  EXPECT_FALSE(rejects([&](guard::Check &c) { EXPECT_EQ(c.bytes(&byte, 1, "data"), "\x07"); }));
  EXPECT_TRUE(rejects([&](guard::Check &c) { c.bytes(&byte, FLEETAUTH_NTS, "data"); }));
  EXPECT_TRUE(rejects([](guard::Check &c) { c.bytes(nullptr, 1, "data"); }));
  EXPECT_FALSE(rejects([&](guard::Check &c) { c.buffer(nullptr, 0, &length, "buffer"); }));
  EXPECT_EQ(length, 0U);
  EXPECT_TRUE(rejects([&](guard::Check &c) { c.buffer(nullptr, 1, &length, "buffer"); }));
  EXPECT_TRUE(rejects([&](guard::Check &c) { c.buffer(&byte, 1, nullptr, "buffer"); }));
}

}  // namespace
}  // namespace fleetauth::capi
