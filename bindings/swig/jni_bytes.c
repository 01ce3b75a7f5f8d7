#include "jni_bytes.h"

#include <limits.h>
#include <stdlib.h>

static void throw_out_of_memory(JNIEnv *env, const char *message) {
  jclass type = (*env)->FindClass(env, "java/lang/OutOfMemoryError");
  if (type != NULL) (*env)->ThrowNew(env, type, message);
}

/* Through a volatile pointer, so that the compiler does not leave it out. */
static void wipe(char *data, size_t length) {
  volatile char *byte = data;
  while (length-- > 0) *byte++ = 0;
}

int jni_bytes_take(JNIEnv *env, jbyteArray array, JniBytes *bytes) {
  jsize length;
  bytes->data = NULL;
  bytes->length = 0;
  if (array == NULL) return 1;
  length = (*env)->GetArrayLength(env, array);
  bytes->data = bytes->local;
  if ((size_t)length > sizeof bytes->local) {
    bytes->data = (char *)malloc((size_t)length);
    if (bytes->data == NULL) {
      throw_out_of_memory(env, "fleetauth: no memory for an argument");
      return 0;
    }
  }
  bytes->length = (size_t)length;
  (*env)->GetByteArrayRegion(env, array, 0, length, (jbyte *)bytes->data);
  (void)(*env)->ExceptionCheck(env);
  return 1;
}

void jni_bytes_wipe(JniBytes *bytes) {
  if (bytes->data == NULL) return;
  wipe(bytes->data, bytes->length);
  if (bytes->data != bytes->local) free(bytes->data);
  bytes->data = NULL;
}

jbyteArray jni_bytes_new(JNIEnv *env, const void *data, size_t length) {
  jbyteArray array;
  if (data == NULL) return NULL;
  if (length > INT_MAX) {
    throw_out_of_memory(env, "fleetauth: a result is larger than a Java array can be");
    return NULL;
  }
  array = (*env)->NewByteArray(env, (jsize)length);
  if (array == NULL) return NULL;
  (*env)->SetByteArrayRegion(env, array, 0, (jsize)length, (const jbyte *)data);
  (void)(*env)->ExceptionCheck(env);
  return array;
}

jobject jni_shared_memory(JNIEnv *env, const void *data, size_t length) {
  if (data == NULL) return NULL;
  /* The buffer is read only by what is made of it in Java; JNI has no pointer to const. */
  return (*env)->NewDirectByteBuffer(env, (void *)(size_t)data, (jlong)length);
}

/* The checks satisfy -Xcheck:jni: the arrays are the binding's own, so nothing is ever pending. */
void jni_put_int(JNIEnv *env, jintArray array, int32_t value) {
  const jint element = value;
  (*env)->SetIntArrayRegion(env, array, 0, 1, &element);
  (void)(*env)->ExceptionCheck(env);
}

void jni_put_long(JNIEnv *env, jlongArray array, int64_t value) {
  const jlong element = value;
  (*env)->SetLongArrayRegion(env, array, 0, 1, &element);
  (void)(*env)->ExceptionCheck(env);
}

void jni_put_pointer(JNIEnv *env, jlongArray array, const void *value) { jni_put_long(env, array, (int64_t)(intptr_t)value); }
