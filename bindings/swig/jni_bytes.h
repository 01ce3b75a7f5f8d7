/* Java's byte[] and direct buffers on one side, pointers with lengths on the other. Included by what SWIG generates. */
#ifndef FLEETAUTH_JNI_BYTES_H
#define FLEETAUTH_JNI_BYTES_H

#include <jni.h>
#include <stddef.h>
#include <stdint.h>

/* A copy of a byte[]. What is short lies in `local`, the rest on the heap. */
typedef struct JniBytes {
  char *data; /* NULL for a null array */
  size_t length;
  char local[256];
} JniBytes;

/* Fills `bytes`. 0 with an OutOfMemoryError pending when there is no memory for the copy. */
int jni_bytes_take(JNIEnv *env, jbyteArray array, JniBytes *bytes);

/* Wipes and frees the copy. Any caller may have put a secret into it. */
void jni_bytes_wipe(JniBytes *bytes);

/* A new byte[], or null for NULL and, with an OutOfMemoryError pending, when there is no memory for it. */
jbyteArray jni_bytes_new(JNIEnv *env, const void *data, size_t length);

/* A direct buffer over memory that is never freed; null for NULL and where the JVM has no direct buffers. */
jobject jni_shared_memory(JNIEnv *env, const void *data, size_t length);

/* Writes the first element of an array. */
void jni_put_int(JNIEnv *env, jintArray array, int32_t value);
void jni_put_long(JNIEnv *env, jlongArray array, int64_t value);
void jni_put_pointer(JNIEnv *env, jlongArray array, const void *value);

#endif
