#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <sstream>

#include "fixture.h"

namespace fleetauth::emulator {
namespace {

using Key = std::shared_ptr<EVP_PKEY>;

constexpr const char *kEmail = "fleet@demo-project.iam.gserviceaccount.com";
constexpr const char *kApi = "/fleet-engine/v1/providers/demo-project/";
constexpr const char *kToken = "/fleet-engine-backend/token/";

std::string encode(const std::string &data) {
  std::string text((data.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char *>(text.data()), reinterpret_cast<const unsigned char *>(data.data()),
                                   static_cast<int>(data.size()));
  text.resize(static_cast<std::size_t>(size));
  while (text.ends_with('=')) text.pop_back();
  for (char &c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string decode(std::string part) {
  for (char &c : part) c = c == '-' ? '+' : c == '_' ? '/' : c;
  std::size_t padding = 0;
  for (; part.size() % 4 != 0; ++padding) part += '=';
  std::string decoded(part.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char *>(decoded.data()), reinterpret_cast<const unsigned char *>(part.data()),
                  static_cast<int>(part.size()));
  decoded.resize(decoded.size() - padding);
  return decoded;
}

Key new_key(unsigned bits = 2048) { return Key(EVP_RSA_gen(bits), EVP_PKEY_free); }

Key key_of_pem(const std::string &pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  return Key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
}

std::string public_pem(const Key &key) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PUBKEY(memory.get(), key.get());
  char *data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string sign(const std::string &text, const Key &key, const EVP_MD *digest = EVP_sha256()) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string signature(512, '\0');
  std::size_t size = signature.size();
  EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key.get());
  EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(signature.data()), &size,
                 reinterpret_cast<const unsigned char *>(text.data()), text.size());
  signature.resize(size);
  return signature;
}

bool verifies(const std::string &token, const Key &key) {
  const std::size_t dot = token.rfind('.');
  const std::string text = token.substr(0, dot);
  const std::string signature = decode(token.substr(dot + 1));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char *>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char *>(text.data()), text.size()) == 1;
}

json part_of_jwt(const std::string &token, int index) {
  std::istringstream parts(token);
  std::string part;
  for (int i = 0; i <= index; ++i) std::getline(parts, part, '.');
  return json::parse(decode(part));
}

class EmulatorFleetEngine : public EmulatorTest {
 protected:
  const json &key_file() const {
    if (key_file_.is_null()) key_file_ = admin_get("/fleet_engine/service_account");
    return key_file_;
  }
  const Key &key() const {
    if (!key_) key_ = key_of_pem(key_file()["private_key"]);
    return key_;
  }
  json header() const { return {{"alg", "RS256"}, {"typ", "JWT"}, {"kid", key_file()["private_key_id"]}}; }
  static json claims(const json &authorization = {{"vehicleid", "v1"}}) {
    return {{"iss", kEmail}, {"sub", kEmail},        {"aud", "https://fleetengine.googleapis.com/"},
            {"iat", kStart}, {"exp", kStart + 3600}, {"authorization", authorization}};
  }
  static std::string jwt(const json &header, const json &claims, const Key &key) {
    const std::string text = encode(header.dump()) + "." + encode(claims.dump());
    return text + "." + encode(sign(text, key));
  }
  std::string jwt(const json &authorization) const { return jwt(header(), claims(authorization), key()); }
  // Our token with some members changed; null removes one.
  std::string changed(const json &header_changes, const json &claim_changes) const {
    json new_header = header();
    json new_claims = claims();
    new_header.merge_patch(header_changes);
    new_claims.merge_patch(claim_changes);
    return jwt(new_header, new_claims, key());
  }

  httplib::Result call(const std::string &path, const std::string &token) const {
    return get(kApi + path, {{"Authorization", "Bearer " + token}});
  }
  int status(const std::string &path, const json &authorization) const { return call(path, jwt(authorization))->status; }
  httplib::Result create_tasks(const json &authorization, const json &body) const {
    return post(std::string(kApi) + "tasks:batchCreate", {{"Authorization", "Bearer " + jwt(authorization)}}, body.dump());
  }
  httplib::Result backend(const std::string &path, const httplib::Headers &headers = {}) const { return get(kToken + path, headers); }
  void set(const json &settings) const { admin_post("/config", {{"fleet_engine", settings}}); }

  static void expect_error(const httplib::Result &answer, int code, const std::string &status) {
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, code) << answer->body;
    const json error = json::parse(answer->body)["error"];
    EXPECT_EQ(error["code"], code);
    EXPECT_EQ(error["status"], status);
    EXPECT_TRUE(error["message"].is_string());
    EXPECT_EQ(answer->has_header("WWW-Authenticate"), code == 401);
  }

 private:
  mutable json key_file_;
  mutable Key key_;
};

TEST_F(EmulatorFleetEngine, KeyFileIsAsGoogles) {
  const auto answer = get("/_emulator/fleet_engine/service_account", admin_headers());
  ASSERT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Cache-Control"), "no-store");
  const json file = json::parse(answer->body);
  EXPECT_EQ(file["type"], "service_account");
  EXPECT_EQ(file["project_id"], "demo-project");
  EXPECT_EQ(file["client_email"], kEmail);
  EXPECT_EQ(file["token_uri"], "https://oauth2.googleapis.com/token");
  EXPECT_EQ(file["private_key_id"].get<std::string>().size(), 40U);
  EXPECT_TRUE(file["client_id"].is_string());
  EXPECT_THAT(file["private_key"].get<std::string>(), testing::StartsWith("-----BEGIN PRIVATE KEY-----\n"));
  EXPECT_EQ(EVP_PKEY_get_bits(key().get()), 2048);
  EXPECT_EQ(admin_get("/fleet_engine/service_account"), file);  // made once

  EXPECT_EQ(get("/_emulator/fleet_engine/service_account")->status, 401);
  EXPECT_EQ(post("/_emulator/fleet_engine/service_account", admin_headers(), "{}")->status, 405);
  EXPECT_THAT(json::parse(get("/_emulator/fleet_engine/x", admin_headers())->body)["known"],
              testing::Contains("GET /_emulator/fleet_engine/service_account"));
}

TEST_F(EmulatorFleetEngine, EachResourceAsksForItsClaim) {
  for (const auto &[collection, claim] :
       {std::pair{"vehicles", "vehicleid"}, std::pair{"trips", "tripid"}, std::pair{"deliveryVehicles", "deliveryvehicleid"},
        std::pair{"tasks", "taskid"}, std::pair{"taskTrackingInfo", "trackingid"}}) {
    const std::string path = std::string(collection) + "/x1";
    const auto answer = call(path, jwt(json{{claim, "x1"}}));
    EXPECT_EQ(answer->status, 200) << path << answer->body;
    EXPECT_EQ(json::parse(answer->body)["name"], "providers/demo-project/" + path);
    EXPECT_EQ(status(path, {{claim, "*"}}), 200);
    expect_error(call(path, jwt(json{{claim, "x2"}})), 403, "PERMISSION_DENIED");
    expect_error(call(path, jwt(json{{"unknownid", "x1"}})), 403, "PERMISSION_DENIED");
    expect_error(call(path, jwt(json::object())), 403, "PERMISSION_DENIED");
    const char *other = std::string_view(claim) == "tripid" ? "vehicleid" : "tripid";
    expect_error(call(path, jwt(json{{other, "x1"}})), 403, "PERMISSION_DENIED");
  }
}

TEST_F(EmulatorFleetEngine, TheCredentialIsABearerJwt) {
  const std::string good = jwt({{"vehicleid", "v1"}});
  EXPECT_EQ(get(std::string(kApi) + "vehicles/v1", {{"Authorization", "bearer " + good}})->status, 200);
  expect_error(get(std::string(kApi) + "vehicles/v1"), 401, "UNAUTHENTICATED");
  expect_error(get(std::string(kApi) + "vehicles/v1", {{"Authorization", good}}), 401, "UNAUTHENTICATED");
  for (const std::string &token : {std::string("x"), std::string("a.b.c"), good + "=", good + ".x", good.substr(0, good.rfind('.')),
                                   good.substr(0, good.rfind('.') + 1), encode("[]") + "." + encode("{}") + ".AAAA", fleetup_token()}) {
    expect_error(call("vehicles/v1", token), 401, "UNAUTHENTICATED");
  }
}

struct Change {
  const char *what;
  const char *header;
  const char *claims;
  int status;
};

TEST_F(EmulatorFleetEngine, EachMemberIsChecked) {
  const std::vector<Change> changes{{"Nothing", "{}", "{}", 200},
                                    {"AlgNone", R"({"alg":"none"})", "{}", 401},
                                    {"AlgHs256", R"({"alg":"HS256"})", "{}", 401},
                                    {"AlgLowerCase", R"({"alg":"rs256"})", "{}", 401},
                                    {"NoAlg", R"({"alg":null})", "{}", 401},
                                    {"TypOther", R"({"typ":"at+jwt"})", "{}", 401},
                                    {"NoTyp", R"({"typ":null})", "{}", 401},
                                    {"NoKid", R"({"kid":null})", "{}", 200},
                                    {"UnknownKid", R"({"kid":"0123"})", "{}", 401},
                                    {"NumericKid", R"({"kid":1})", "{}", 401},
                                    {"Crit", R"({"crit":["b64"]})", "{}", 401},
                                    {"IssOther", "{}", R"({"iss":"x@demo-project.example"})", 401},
                                    {"IssOtherNoKid", R"({"kid":null})", R"({"iss":"x@demo-project.example"})", 401},
                                    {"NoIss", "{}", R"({"iss":null})", 401},
                                    {"SubOther", "{}", R"({"sub":"x@demo-project.example"})", 401},
                                    {"NoSub", "{}", R"({"sub":null})", 401},
                                    {"AudWithoutSlash", "{}", R"({"aud":"https://fleetengine.googleapis.com"})", 401},
                                    {"AudArray", "{}", R"({"aud":["https://fleetengine.googleapis.com/"]})", 401},
                                    {"NoAud", "{}", R"({"aud":null})", 401},
                                    {"IatAhead", "{}", R"({"iat":1700000600})", 200},
                                    {"IatTooFarAhead", "{}", R"({"iat":1700000601})", 401},
                                    {"IatBack", "{}", R"({"iat":1699999000})", 200},
                                    {"IatText", "{}", R"({"iat":"1700000000"})", 401},
                                    {"IatHuge", "{}", R"({"iat":18446744073709551615})", 401},
                                    {"NoIat", "{}", R"({"iat":null})", 401},
                                    {"ExpMilliseconds", "{}", R"({"exp":1700003600000})", 401},
                                    {"ExpAtTheLimit", "{}", R"({"exp":1700003600})", 200},
                                    {"ExpTooFar", "{}", R"({"exp":1700003601})", 401},
                                    {"ExpNow", "{}", R"({"exp":1700000000})", 401},
                                    {"ExpNext", "{}", R"({"exp":1700000001})", 200},
                                    {"ExpSmall", "{}", R"({"exp":-9223372036854775808})", 401},
                                    {"ExpFraction", "{}", R"({"exp":1700000100.5})", 401},
                                    {"NoExp", "{}", R"({"exp":null})", 401},
                                    {"NoAuthorization", "{}", R"({"authorization":null})", 403},
                                    {"AuthorizationText", "{}", R"({"authorization":"*"})", 403},
                                    {"ScopeIsIgnored", "{}", R"({"scope":"x"})", 200}};
  for (const Change &change : changes) {
    SCOPED_TRACE(change.what);
    const auto answer = call("vehicles/v1", changed(json::parse(change.header), json::parse(change.claims)));
    EXPECT_EQ(answer->status, change.status) << answer->body;
    if (change.status == 401) expect_error(answer, 401, "UNAUTHENTICATED");
    if (change.status == 403) expect_error(answer, 403, "PERMISSION_DENIED");
  }
}

TEST_F(EmulatorFleetEngine, TheSignatureIsTheServiceAccounts) {
  const Key other = new_key();
  expect_error(call("vehicles/v1", jwt(header(), claims(), other)), 401, "UNAUTHENTICATED");
  const std::string text = encode(header().dump()) + "." + encode(claims().dump());
  expect_error(call("vehicles/v1", text + "." + encode(sign(text, key(), EVP_sha512()))), 401, "UNAUTHENTICATED");
  const std::string good = jwt({{"vehicleid", "v1"}});
  const std::string forged = encode(header().dump()) + "." + encode(claims({{"vehicleid", "*"}}).dump()) + good.substr(good.rfind('.'));
  expect_error(call("vehicles/v1", forged), 401, "UNAUTHENTICATED");
}

TEST_F(EmulatorFleetEngine, TimeIsTheEmulators) {
  const std::string token = jwt({{"vehicleid", "v1"}});
  admin_post("/clock", {{"advance_s", -1}});  // the caller's clock is fast
  expect_error(call("vehicles/v1", token), 401, "UNAUTHENTICATED");
  advance(1 + 3599);
  EXPECT_EQ(call("vehicles/v1", token)->status, 200);
  advance(1);
  expect_error(call("vehicles/v1", token), 401, "UNAUTHENTICATED");
}

TEST_F(EmulatorFleetEngine, ClaimsHaveTypes) {
  for (const char *authorization :
       {R"({"vehicleid":1})", R"({"vehicleid":["v1"]})", R"({"vehicleid":""})", R"({"vehicleid":null})",
        R"({"vehicleid":"v1","taskids":"*"})", R"({"vehicleid":"v1","taskids":[]})", R"({"vehicleid":"v1","taskids":[1]})",
        R"({"vehicleid":"v1","taskids":[""]})", R"({"vehicleid":"v1","taskids":["*","a"]})", R"({"vehicleid":"v1","tripid":{}})"}) {
    expect_error(call("vehicles/v1", jwt(json::parse(authorization))), 403, "PERMISSION_DENIED");
  }
  EXPECT_EQ(status("vehicles/v1", {{"vehicleid", "v1"}, {"tripid", "t1"}}), 200);
}

TEST_F(EmulatorFleetEngine, ClaimsExcludeEachOtherUnlessAllAreWildcards) {
  for (const char *authorization : {R"({"taskid":"t","trackingid":"x"})", R"({"taskid":"t","taskids":["t"]})",
                                    R"({"taskid":"t","trackingid":"*"})", R"({"taskid":"*","trackingid":"x"})",
                                    R"({"taskid":"t","taskids":["*"]})", R"({"taskid":"t","deliveryvehicleid":"d","taskids":["t"]})"}) {
    expect_error(call("tasks/t", jwt(json::parse(authorization))), 403, "PERMISSION_DENIED");
  }
  EXPECT_EQ(status("tasks/t", {{"taskid", "t"}, {"deliveryvehicleid", "d"}}), 200);  // a trusted driver
  const json server = {{"taskid", "*"}, {"trackingid", "*"}, {"deliveryvehicleid", "*"}};
  EXPECT_EQ(status("tasks/t", server), 200);
  EXPECT_EQ(status("taskTrackingInfo/x", server), 200);
  EXPECT_EQ(status("tasks/t", {{"taskid", "*"}, {"trackingid", "*"}, {"taskids", json::array({"*"})}}), 200);
  const json reader = {{"tripid", "*"}, {"taskid", "*"}, {"trackingid", "*"}, {"vehicleid", "*"}, {"deliveryvehicleid", "*"}};
  EXPECT_EQ(status("trips/t", reader), 200);
}

TEST_F(EmulatorFleetEngine, TasksAreCreatedInBatches) {
  const auto body = [](const std::vector<std::string> &ids) {
    json requests = json::array();
    for (const std::string &id : ids)
      requests.push_back({{"parent", "providers/demo-project"}, {"taskId", id}, {"task", {{"type", "PICKUP"}}}});
    return json{{"requests", requests}};
  };
  const json two = {{"taskids", json::array({"a", "b"})}};
  const auto answer = create_tasks(two, body({"a", "b"}));
  ASSERT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(json::parse(answer->body)["tasks"][1]["name"], "providers/demo-project/tasks/b");
  EXPECT_EQ(create_tasks(two, body({"a"}))->status, 200);
  expect_error(create_tasks(two, body({"a", "c"})), 403, "PERMISSION_DENIED");
  EXPECT_EQ(create_tasks({{"taskids", json::array({"*"})}}, body({"c"}))->status, 200);
  expect_error(create_tasks({{"taskid", "*"}}, body({"a"})), 403, "PERMISSION_DENIED");

  for (const json &wrong :
       {json::object(), json::array(), json{{"requests", json::array()}}, json{{"requests", json::array({1})}}, body({"a/b"}), body({""}),
        json{{"requests", json::array({{{"task", 1}}})}}, json{{"requests", json::array({{{"taskId", 1}}})}},
        json{{"requests", json::array({{{"taskId", "a"}, {"parent", "providers/other"}}})}}}) {
    expect_error(create_tasks(two, wrong), 400, "INVALID_ARGUMENT");
  }
  expect_error(post(std::string(kApi) + "tasks:batchCreate", {}, "{}"), 401, "UNAUTHENTICATED");
  EXPECT_EQ(get(std::string(kApi) + "tasks:batchCreate")->status, 405);
}

TEST_F(EmulatorFleetEngine, IdsAreUnicodeAndBounded) {
  const std::string german = "Fahrzeug \u00e4";
  EXPECT_EQ(status("vehicles/Fahrzeug%20%C3%A4", {{"vehicleid", german}}), 200);
  EXPECT_EQ(status("vehicles/a+b", {{"vehicleid", "a+b"}}), 200);
  std::string longest;
  std::string encoded;
  for (int i = 0; i < 64; ++i) {
    longest += "\u00e4";
    encoded += "%C3%A4";
  }
  EXPECT_EQ(status("vehicles/" + encoded, {{"vehicleid", longest}}), 200);
  for (const std::string &id : {encoded + "x", std::string("a:b"), std::string("a%2Fb"), std::string("a%3Fb"), std::string("a,b"),
                                std::string("a%23b"), std::string("a%FF"), std::string("a%2")}) {
    expect_error(call("vehicles/" + id, jwt({{"vehicleid", "*"}})), 400, "INVALID_ARGUMENT");
  }
  expect_error(call("vehicles/", jwt({{"vehicleid", "*"}})), 404, "NOT_FOUND");
}

TEST_F(EmulatorFleetEngine, TheProjectIsTheServiceAccounts) {
  const std::string token = jwt({{"vehicleid", "*"}});
  const httplib::Headers headers{{"Authorization", "Bearer " + token}};
  expect_error(get("/fleet-engine/v1/providers/other-project/vehicles/v1", headers), 403, "PERMISSION_DENIED");
}

TEST_F(EmulatorFleetEngine, OtherServiceAccountsCanBeConfigured) {
  const Key first = new_key();
  const Key second = new_key();
  const auto account = [](const Key &key, const char *id) {
    return json{{"client_email", "x@other.example"}, {"private_key_id", id}, {"project_id", "other"}, {"public_key", public_pem(key)}};
  };
  set({{"service_accounts", json::array({account(first, "k1"), account(second, "k2")})}});
  json theirs = claims();
  theirs.update({{"iss", "x@other.example"}, {"sub", "x@other.example"}});
  const auto answer = [&](const json &header, const json &claims, const Key &key) {
    return get("/fleet-engine/v1/providers/other/vehicles/v1", {{"Authorization", "Bearer " + jwt(header, claims, key)}})->status;
  };
  EXPECT_EQ(answer({{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "k1"}}, theirs, first), 200);
  EXPECT_EQ(answer({{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "k2"}}, theirs, second), 200);
  EXPECT_EQ(answer({{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "k2"}}, theirs, first), 401);
  EXPECT_EQ(answer({{"alg", "RS256"}, {"typ", "JWT"}}, theirs, second), 200);
  EXPECT_EQ(answer({{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "k1"}}, claims(), first), 401);  // issued by another
  EXPECT_EQ(status("vehicles/v1", {{"vehicleid", "v1"}}), 200);                                // our own stays
}

TEST_F(EmulatorFleetEngine, ConfigurationIsChecked) {
  const auto account = [](const json &key) {
    return json{{"service_accounts", json::array({{{"client_email", "x"}, {"private_key_id", "k"}, {"public_key", key}}})}};
  };
  for (const json &wrong : {account("no PEM"), account(1), account(public_pem(new_key(1024))), account(key_file()["private_key"]),
                            json{{"service_accounts", json::array({{{"client_email", "x"}}})}}, json{{"backend_shape", "x"}},
                            json{{"backend_lifetime_s", 0}}, json{{"unknown", 1}}}) {
    const auto answer = post("/_emulator/config", admin_headers(), json{{"fleet_engine", wrong}}.dump());
    EXPECT_EQ(answer->status, 400) << wrong;
    EXPECT_THAT(answer->body, testing::HasSubstr("fleet_engine"));
  }
}

TEST_F(EmulatorFleetEngine, TokensCanBeRevokedWhoeverMadeThem) {
  const std::string own = jwt({{"vehicleid", "v1"}});
  EXPECT_EQ(call("vehicles/v1", own)->status, 200);
  const std::string first = json::parse(backend("driver/v1")->body)["jwt"];
  EXPECT_EQ(admin_post("/revoke", {{"provider", "fleet_engine"}})["revoked"], 2);
  expect_error(call("vehicles/v1", own), 401, "UNAUTHENTICATED");
  expect_error(call("vehicles/v1", first), 401, "UNAUTHENTICATED");
  const std::string second = json::parse(backend("driver/v1")->body)["jwt"];
  EXPECT_EQ(call("vehicles/v1", second)->status, 200);
}

TEST_F(EmulatorFleetEngine, BackendHandsOutWhatTheApiTakes) {
  struct Case {
    const char *path;
    const char *member;
    json authorization;
    const char *resource;
  };
  for (const Case &each :
       {Case{"delivery_driver/d1", "token", {{"deliveryvehicleid", "d1"}}, "deliveryVehicles/d1"},
        Case{"delivery_consumer/x1", "token", {{"trackingid", "x1"}}, "taskTrackingInfo/x1"},
        Case{"fleet_reader", "token", {{"deliveryvehicleid", "*"}, {"taskid", "*"}, {"trackingid", "*"}}, "tasks/t1"},
        Case{"driver/v1", "jwt", {{"vehicleid", "v1"}}, "vehicles/v1"}, Case{"consumer/t1", "jwt", {{"tripid", "t1"}}, "trips/t1"},
        Case{"server", "jwt", {{"tripid", "*"}, {"vehicleid", "*"}}, "trips/t1"}}) {
    const auto answer = backend(each.path);
    ASSERT_EQ(answer->status, 200) << each.path;
    EXPECT_EQ(answer->get_header_value("Cache-Control"), "no-store");
    const json body = json::parse(answer->body);
    EXPECT_EQ(body.size(), 3U);
    const bool last_mile = std::string_view(each.member) == "token";
    EXPECT_EQ(body[last_mile ? "creation_timestamp_ms" : "creationTimestamp"], kStart * 1000);
    EXPECT_EQ(body[last_mile ? "expiration_timestamp_ms" : "expirationTimestamp"], (kStart + 3600) * 1000);
    const std::string token = body[each.member];
    EXPECT_TRUE(verifies(token, key()));
    EXPECT_EQ(part_of_jwt(token, 0), header());
    const json claims = part_of_jwt(token, 1);
    EXPECT_EQ(claims["authorization"], each.authorization);
    EXPECT_EQ(claims["exp"], kStart + 3600);
    EXPECT_EQ(call(each.resource, token)->status, 200);
    EXPECT_EQ(call("vehicles/other", token)->status, std::string_view(each.path) == "server" ? 200 : 403);
  }
}

TEST_F(EmulatorFleetEngine, BackendRefusesIdsOfEverything) {
  for (const char *path : {"delivery_driver/*", "delivery_driver/%2A", "delivery_driver/", "delivery_driver", "delivery_consumer/",
                           "driver/*", "consumer/*", "consumer", "driver/a%2Fb", "unknown", "unknown/x", "fleet_reader/x"}) {
    const auto answer = backend(path);
    EXPECT_EQ(answer->status, 400) << path;
    EXPECT_TRUE(json::parse(answer->body)["error"].is_string());
  }
  EXPECT_EQ(json::parse(post(std::string(kToken) + "server", {}, "{}")->body), json::parse(R"({"error":"Method not allowed"})"));
  const json vehicle = part_of_jwt(json::parse(backend("driver/Fahrzeug%20%C3%A4")->body)["jwt"], 1);
  EXPECT_EQ(vehicle["authorization"]["vehicleid"], "Fahrzeug \u00e4");
}

TEST_F(EmulatorFleetEngine, BackendHasSettings) {
  set({{"backend_shape", "last_mile"}, {"backend_lifetime_s", 60}});
  EXPECT_EQ(json::parse(backend("server")->body)["expiration_timestamp_ms"], (kStart + 60) * 1000);
  set({{"backend_shape", "on_demand"}});
  EXPECT_TRUE(json::parse(backend("fleet_reader")->body)["jwt"].is_string());
  admin_post("/lifetime", {{"provider", "fleet_engine"}, {"seconds", 3601}});
  const std::string too_long = json::parse(backend("driver/v1")->body)["jwt"];
  expect_error(call("vehicles/v1", too_long), 401, "UNAUTHENTICATED");

  set({{"backend_key", "demo-backend-key"}});
  EXPECT_EQ(backend("server")->status, 401);
  EXPECT_EQ(backend("server", {{"Authorization", "Bearer demo-backend-kez"}})->status, 401);
  EXPECT_EQ(backend("server", {{"Authorization", "Bearer demo-backend-key"}})->status, 200);
  EXPECT_EQ(admin_get("/state")["providers"]["fleet_engine"]["settings"]["backend_key"], true);
}

TEST_F(EmulatorFleetEngine, Throttles) {
  set({{"min_interval_s", 2}});
  EXPECT_EQ(backend("server")->status, 200);
  const auto refused = backend("server");
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->get_header_value("Retry-After"), "2");
  const std::string token = jwt({{"vehicleid", "v1"}});
  EXPECT_EQ(call("vehicles/v1", token)->status, 200);
  expect_error(call("vehicles/v1", token), 429, "RESOURCE_EXHAUSTED");
  advance(2);
  EXPECT_EQ(call("vehicles/v1", token)->status, 200);
}

TEST_F(EmulatorFleetEngine, LogHoldsNoKeyAndNoToken) {
  set({{"backend_key", "demo-backend-key"}});
  const httplib::Headers headers{{"Authorization", "Bearer demo-backend-key"}};
  const std::string token = json::parse(backend("driver/v1", headers)->body)["jwt"];
  const std::string own = jwt({{"vehicleid", "v1"}});
  call("vehicles/v1", own);
  get("/fleet-engine/" + token + "/" + own + "/demo-backend-key");
  const std::string log = get("/_emulator/log", admin_headers())->body;
  const std::string state = get("/_emulator/state", admin_headers())->body;
  const std::string key_line = key_file()["private_key"].get<std::string>().substr(28, 64);
  for (const std::string &secret : {token, own, std::string("demo-backend-key"), key_line}) {
    EXPECT_THAT(log, testing::Not(testing::HasSubstr(secret)));
    EXPECT_THAT(state, testing::Not(testing::HasSubstr(secret)));
  }
  const json entries = json::parse(log)["entries"];
  EXPECT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0]["account"], kEmail);
  EXPECT_EQ(entries[0]["token_expires_s"], kStart + 3600);
  EXPECT_TRUE(entries[1]["credential"].is_string());
}

}  // namespace
}  // namespace fleetauth::emulator
