#include "core/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <string>

namespace fleetauth::json {
namespace {

using testing::HasSubstr;
using testing::Not;

Result<Document> parse(std::string_view text) { return Document::parse(SecretBytes(text)); }

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonDocument, FindsMembersByPointer) {
  const auto document = parse(R"({"user":{"_id":"u1","a/b":[1,2.5,true,null]},"n":-7,"big":18446744073709551615})");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->find("/user/_id")->text(), "u1");
  EXPECT_EQ(document->find("/user/a~1b/0")->integer(), 1);
  EXPECT_EQ(document->find("/user/a~1b/1")->number(), 2.5);
  EXPECT_EQ(document->find("/user/a~1b/1")->integer(), std::nullopt);
  EXPECT_EQ(document->find("/user/a~1b/2")->boolean(), true);
  EXPECT_EQ(document->find("/user/a~1b/3")->type(), Type::Null);
  EXPECT_EQ(document->find("/n")->integer(), -7);
  EXPECT_EQ(document->find("/n")->number(), -7.0);
  EXPECT_EQ(document->find("/n")->text(), std::nullopt);
  EXPECT_EQ(document->find("/big")->type(), Type::Number);
  EXPECT_EQ(document->find("/big")->integer(), std::nullopt);
  EXPECT_EQ(document->root().type(), Type::Object);
  EXPECT_EQ(document->find("")->type(), Type::Object);
  EXPECT_FALSE(document->find("/absent"));
  EXPECT_FALSE(document->find("/n/deeper"));
  EXPECT_FALSE(document->find("no-slash"));
}

TEST(JsonDocument, ReadsScalarsAtTheTop) {
  EXPECT_EQ(parse("\"tok\"")->root().text(), "tok");
  EXPECT_EQ(parse(" 42 ")->root().integer(), 42);
}

TEST(JsonDocument, KeepsNulInsideStringsForTheFieldChecks) {
  EXPECT_EQ(parse(R"({"t":"a\u0000b"})")->find("/t")->text(), std::string_view("a\0b", 3));
}

TEST(JsonDocument, SurvivesBeingMoved) {
  auto document = parse(R"({"t":"value"})");
  const Document moved = std::move(*document);
  EXPECT_EQ(moved.find("/t")->text(), "value");
}

TEST(JsonDocument, J01_RefusesWhatIsNotOneDocument) {
  for (const char *text : {"", " ", "{", "{}x", "{} {}", "\xef\xbb\xbf{}", "{'a':1}", "{\"a\":1,}", "[1 2]", "nul", "{\"a\":NaN}",
                           "{\"a\":Infinity}", "{\"a\":01}", "{\"a\":1e400}", "<html></html>", "{\"a\":\"x\ny\"}", "{\"a\" 1}"}) {
    const auto document = parse(text);
    ASSERT_FALSE(document) << text;
    EXPECT_EQ(document.error()->status, Status::Protocol);
  }
}

TEST(JsonDocument, J01_ErrorsNeverQuoteTheText) {
  const auto document = parse(R"({"access_token":"hunter2-token-value",})");
  ASSERT_FALSE(document);
  EXPECT_THAT(document.error()->message, Not(HasSubstr("hunter2")));
  EXPECT_THAT(document.error()->message, Not(HasSubstr("access_token")));
}

TEST(JsonDocument, J02_RefusesInvalidUtf8AndLoneSurrogates) {
  for (const char *text :
       {"{\"a\":\"\xff\"}", "{\"a\":\"\xc0\xaf\"}", "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00x\"}"}) {
    EXPECT_FALSE(parse(text)) << text;
  }
}

TEST(JsonDocument, J03_RefusesDuplicateNamesAnywhere) {
  for (const char *text : {R"({"accessToken":"a","accessToken":"b"})", R"({"accessToken":"a","access\u0054oken":"b"})",
                           R"({"x":[{"k":1,"z":2,"k":3}]})", R"({"x":{"y":{"k":1,"k":1}},"z":1})", R"([[],{"":1,"":2}])"}) {
    const auto document = parse(text);
    ASSERT_FALSE(document) << text;
    EXPECT_EQ(document.error()->status, Status::Protocol);
  }
  EXPECT_TRUE(parse(R"({"k":{"k":[{"k":1},{"k":1}]},"K":2})"));
}

TEST(JsonDocument, J04_RefusesWhatIsNestedDeeperThanSixteen) {
  EXPECT_TRUE(parse(nested(16)));
  EXPECT_FALSE(parse(nested(17)));
  EXPECT_FALSE(parse(nested(2'000)));
  EXPECT_FALSE(parse(nested(1'000'000)));
  EXPECT_FALSE(parse(std::string(1'000'000, '[')));
}

TEST(JsonDocument, J05_ManyNamesAndLongStringsAreRead) {
  std::string text = "{";
  for (int i = 0; i < 25'000; ++i) text += "\"" + std::to_string(i) + "\":0,";
  text += "\"last\":\"" + std::string(250'000, 'x') + "\"}";
  const auto document = parse(text);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->find("/last")->text()->size(), 250'000U);
}

/// The least processor time that an object with so many names takes, read several times.
std::clock_t time_of_names(int count) {
  std::string text = "{";
  for (int i = 0; i < count; ++i) text += "\"" + std::to_string(i) + "\":0,";
  text += "\"last\":0}";
  std::clock_t least = std::numeric_limits<std::clock_t>::max();
  for (int i = 0; i < 5; ++i) {
    const std::clock_t before = std::clock();
    EXPECT_TRUE(parse(text));
    least = std::min(least, std::clock() - before);
  }
  return least;
}

TEST(JsonDocument, J05_FourTimesTheNamesDoNotTakeSixteenTimesTheTime) {
  (void)time_of_names(100'000);
  const auto few = static_cast<double>(time_of_names(25'000));
  EXPECT_LT(static_cast<double>(time_of_names(100'000)) / few, 8);
}

TEST(JsonDocument, J01_ErrorsOfOperatorsTextsNameTheSourceAndTheLine) {
  struct Case {
    const char *text;
    const char *message;
  };
  for (const Case &c :
       {Case{"{\n\"a\": 1\n\"b\": 2\n}", "k.json:3: not valid JSON: a bracket"}, Case{"{\n\"a\": 1,\n}", "k.json:3: not valid JSON"},
        Case{"{\n\"a\": \"open\n}", "k.json:2: not valid JSON: a string"}, Case{"{\n\"a\": tru\n}", "k.json:2: not valid JSON"},
        Case{"{\"a\":\n[1,2", "k.json:2: not valid JSON"}, Case{"{\n\n\"a\": \"\xff\"}", "k.json:3: not valid JSON: it is not UTF-8"},
        Case{"{\n\"a\": \"\\q\"}", "k.json:2: not valid JSON: a string holds a bad escape"}, Case{"{}\n}", "k.json:2: not valid JSON"},
        Case{"{\"a\":\n\"\\ud800\"}", "k.json: not valid JSON: a string holds a bad escape"},
        Case{"", "k.json:1: not valid JSON: it is empty"}, Case{"{\n'a':1}", "k.json:2: not valid JSON"},
        Case{"{\n\"a\" 1}", "k.json:2: not valid JSON"},
        Case{"{\"a\":1,\n\"a\":2}", "k.json: not valid JSON: an object has two members of the same name"}}) {
    const auto document = Document::parse(c.text, "k.json", Status::Key);
    ASSERT_FALSE(document) << c.text;
    EXPECT_EQ(document.error()->status, Status::Key);
    EXPECT_THAT(document.error()->message, testing::StartsWith(c.message)) << c.text;
  }
  EXPECT_EQ(Document::parse(R"({"a":"b"})", "k.json", Status::Key)->find("/a")->text(), "b");
}

TEST(JsonDocument, J04_DeepTextsOfOperatorsAreRefused) {
  EXPECT_FALSE(Document::parse(nested(17), "k.json", Status::Key));
  EXPECT_FALSE(Document::parse(std::string(1'000'000, '['), "k.json", Status::Key));
}

TEST(JsonTree, RemembersLines) {
  const auto tree =
      parse_tree("{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [\n true, 2.5, \"x\\ny\"]\n  }, \"n\": null\n}", "file.json", Status::Descriptor);
  ASSERT_TRUE(tree) << tree.error()->message;
  EXPECT_EQ(tree->line, 1U);
  EXPECT_EQ(tree->member("a")->line, 2U);
  EXPECT_EQ(tree->member("b")->line, 3U);
  const Value *items = tree->member("b")->member("c");
  EXPECT_EQ(items->line, 4U);
  ASSERT_EQ(items->items.size(), 3U);
  EXPECT_EQ(items->items[0].line, 5U);
  EXPECT_TRUE(items->items[0].boolean);
  EXPECT_EQ(items->items[1].number, 2.5);
  EXPECT_EQ(items->items[2].text, "x\ny");
  EXPECT_EQ(tree->member("n")->line, 6U);
  EXPECT_EQ(tree->member("n")->type, Type::Null);
  EXPECT_EQ(tree->member("zzz"), nullptr);
}

TEST(JsonTree, ErrorsNameTheSourceAndTheLine) {
  struct Case {
    const char *text;
    const char *where;
  };
  for (const Case &c : {Case{"{\n\"a\": 1\n\"b\": 2\n}", "d.json:3: "}, Case{"{\n\"a\": 1,\n\"b\": tru\n}", "d.json:3: "},
                        Case{"{\n\"a\": \"open\n}", "d.json:2: "}, Case{"{\n\n\"a\": \"\xff\"}", "d.json:3: "}, Case{"", "d.json:1: "},
                        Case{"7", "d.json:1: "}, Case{"{\"a\":1,\n\"b\":{\"a\":2},\n\"a\":3}", "d.json:3: "}, Case{"{}\n}", "d.json:"}}) {
    const auto tree = parse_tree(c.text, "d.json", Status::Descriptor);
    ASSERT_FALSE(tree) << c.text;
    EXPECT_EQ(tree.error()->status, Status::Descriptor);
    EXPECT_THAT(tree.error()->message, testing::StartsWith(c.where)) << c.text;
  }
}

TEST(JsonTree, SaysWhereADuplicateWasGivenBefore) {
  const auto tree = parse_tree("{\n\"name\":1,\n\"na\\u006de\":2}", "d.json", Status::Config);
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error()->message, "d.json:3: not valid JSON: the member \"name\" was given before, in line 2");
}

TEST(JsonTree, NamesOfMembersAndFilesCannotEndALineOfTheMessage) {
  const auto tree = parse_tree("{\"a\\nb\":1,\"a\\nb\":2}", "d\n.json", Status::Config);
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error()->message, "d?.json:1: not valid JSON: the member \"a?b\" was given before, in line 1");
}

TEST(JsonTree, J04_SaysOfAnEndlesslyDeepTextThatItIsOne) {
  for (const std::string_view unit : {"[", "{\"a\":", "[{\"a\":"}) {
    std::string text;
    while (text.size() < 1'000'000) text += unit;
    const auto tree = parse_tree(text, "deep.json", Status::Descriptor);
    ASSERT_FALSE(tree);
    EXPECT_EQ(tree.error()->message, "deep.json:1: not valid JSON: it is nested too deeply");
  }
}

TEST(JsonTree, TakesTheSameDepthAsDocuments) {
  EXPECT_TRUE(parse_tree(nested(16), "d", Status::Config));
  EXPECT_FALSE(parse_tree(nested(17), "d", Status::Config));
}

TEST(JsonTree, WritesCanonicalText) {
  const char *text = R"({"b":[1,-2,2.5,1e+30,true,false,null],"a":{"x":"q\"\\\n\u0001é"},"e":{},"f":[]})";
  EXPECT_EQ(to_text(*parse_tree(text, "t", Status::Config)), text);
}

TEST(JsonTree, CanonicalTextStaysWhenReadAgain) {
  const std::string text = to_text(*parse_tree(R"({"a":-0.0,"b":1500.0,"c":18446744073709551615,"d":0.0})", "t", Status::Config));
  EXPECT_EQ(to_text(*parse_tree(text, "t", Status::Config)), text);
}

// The examples of RFC 7396, appendix A, as far as our documents are objects.
TEST(JsonTree, MergePatchFollowsRfc7396) {
  struct Case {
    const char *target, *patch, *merged;
  };
  for (const Case &c :
       {Case{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"}, Case{R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
        Case{R"({"a":"b"})", R"({"a":null})", R"({})"}, Case{R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
        Case{R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"}, Case{R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
        Case{R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
        Case{R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"}, Case{R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
        Case{R"({"a":"b"})", R"(["c"])", R"(["c"])"}, Case{R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
        Case{R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"}, Case{R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"}}) {
    const Value merged = merge_patch(*parse_tree(c.target, "t", Status::Config), *parse_tree(c.patch, "p", Status::Config));
    EXPECT_EQ(to_text(merged), c.merged) << c.target << " + " << c.patch;
  }
}

TEST(JsonTree, PatchedValuesHaveNoLine) {
  const Value merged = merge_patch(*parse_tree("\n{\"a\":1}", "t", Status::Config), *parse_tree("{\"b\":[2]}", "p", Status::Config));
  EXPECT_EQ(merged.member("a")->line, 2U);
  EXPECT_EQ(merged.member("b")->line, 0U);
  EXPECT_EQ(merged.member("b")->items[0].line, 0U);
}

TEST(Json, StringsAreEscaped) {
  SecretBytes out("x");
  append_string(out, std::string_view("\"\\\b\f\n\r\t\x01\x1f\0/\x7f\xc3\xa9", 14));
  EXPECT_EQ(out.view(), "x\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\\u0000/\x7f\xc3\xa9\"");
}

TEST(Json, Utf8IsChecked) {
  EXPECT_TRUE(is_utf8("\xc3\xa9"));
  EXPECT_FALSE(is_utf8("\xc3"));
  EXPECT_TRUE(is_utf8(""));
}

}  // namespace
}  // namespace fleetauth::json
