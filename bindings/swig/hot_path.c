/* The natives of io.fleetauth.HotPath: what happens once per request crosses the boundary once. */
#include <jni.h>
#include <string.h>

#include "fleetauth/fleetauth.h"
#include "jni_bytes.h"

/* Indices of the numbers handed back; HotPath.java has the same. */
enum { STATUS, ERROR, SLOT, GENERATION, WORD, NUMBERS };

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved) {
  (void)vm;
  (void)reserved;
  return JNI_VERSION_1_6;
}

static void put_numbers(JNIEnv *env, jlongArray out, const jlong *numbers) {
  (*env)->SetLongArrayRegion(env, out, 0, NUMBERS, numbers);
  (void)(*env)->ExceptionCheck(env);
}

static void describe(const fleetauth_token *token, jlong *numbers) {
  fleetauth_token *asked = (fleetauth_token *)(uintptr_t)token;
  numbers[SLOT] = fleetauth_token_slot(asked);
  numbers[GENERATION] = fleetauth_token_generation(asked);
  numbers[WORD] = fleetauth_token_word(asked);
}

/* A text with its NUL, which the library guarantees, at `at`; answers where the next one goes. */
static jsize put_text(JNIEnv *env, jbyteArray array, jsize at, const char *text, size_t length) {
  (*env)->SetByteArrayRegion(env, array, at, (jsize)length + 1, (const jbyte *)text);
  (void)(*env)->ExceptionCheck(env);
  return at + (jsize)length + 1;
}

/* Name, NUL, value, NUL, and so on, without a copy in between. */
static jbyteArray pack_headers(JNIEnv *env, fleetauth_token *token) {
  const int32_t count = fleetauth_token_header_count(token);
  size_t total = 0;
  size_t length = 0;
  jsize at = 0;
  int32_t i;
  jbyteArray array;
  for (i = 0; i < count; i++) {
    fleetauth_token_header_name(token, i, &length);
    total += length + 1;
    fleetauth_token_header_value(token, i, &length);
    total += length + 1;
  }
  array = (*env)->NewByteArray(env, (jsize)total);
  if (array == NULL) return NULL;
  for (i = 0; i < count; i++) {
    const char *name = fleetauth_token_header_name(token, i, &length);
    at = put_text(env, array, at, name, length);
    const char *value = fleetauth_token_header_value(token, i, &length);
    at = put_text(env, array, at, value, length);
  }
  return array;
}

JNIEXPORT jbyteArray JNICALL Java_io_fleetauth_HotPath_peek(JNIEnv *env, jclass type, jlong client, jlong request, jbyteArray method,
                                                            jbyteArray url, jlongArray out) {
  JniBytes method_bytes;
  JniBytes url_bytes;
  fleetauth_token *token = NULL;
  fleetauth_error *error = NULL;
  jlong numbers[NUMBERS] = {0};
  jbyteArray headers = NULL;
  (void)type;
  if (!jni_bytes_take(env, method, &method_bytes)) return NULL;
  if (!jni_bytes_take(env, url, &url_bytes)) {
    jni_bytes_wipe(&method_bytes);
    return NULL;
  }
  numbers[STATUS] = fleetauth_client_peek((fleetauth_client *)(intptr_t)client, (fleetauth_request *)(intptr_t)request, method_bytes.data,
                                          method_bytes.length, url_bytes.data, url_bytes.length, &token, &error);
  jni_bytes_wipe(&method_bytes);
  jni_bytes_wipe(&url_bytes);
  numbers[ERROR] = (jlong)(intptr_t)error;
  if (token != NULL) describe(token, numbers);
  put_numbers(env, out, numbers);
  if (token != NULL) headers = pack_headers(env, token);
  fleetauth_token_unref(token);
  return headers;
}

JNIEXPORT jbyteArray JNICALL Java_io_fleetauth_HotPath_headers(JNIEnv *env, jclass type, jlong token, jlongArray out) {
  fleetauth_token *asked = (fleetauth_token *)(intptr_t)token;
  jlong numbers[NUMBERS] = {0};
  (void)type;
  describe(asked, numbers);
  put_numbers(env, out, numbers);
  return pack_headers(env, asked);
}
