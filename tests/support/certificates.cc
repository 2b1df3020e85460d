// SPDX-License-Identifier: MIT
#include "tests/support/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/check.h"

namespace regfs::test {
namespace {

constexpr long kVersion3 = 2;  // counted from 0

template <auto free_it>
struct FreedBy {
  template <typename T>
  void operator()(T* object) const {
    free_it(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreedBy<X509_free>>;
using Bio = std::unique_ptr<BIO, FreedBy<BIO_free>>;

Key new_key() {
  Key key(EVP_EC_gen("P-256"));
  REGFS_CHECK(key != nullptr, "OpenSSL makes no key");
  return key;
}

std::string text_in(const Bio& bio) {
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(length)};
}

std::string pem_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return text_in(bio);
}

std::string pem_of(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_in(bio);
}

// Two authorities of one name would be one whose signatures are wrong.
std::string name_of_its_own() {
  uint64_t number = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof(number));
  return "an authority of the tests " + std::to_string(number);
}

Certificate unsigned_certificate(const std::string& common_name, EVP_PKEY* key, const IdentityRecipe& recipe) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), kVersion3);
  int64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial));
  ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate.get()), serial & INT64_MAX);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), std::chrono::seconds(recipe.valid_from).count());
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), std::chrono::seconds(recipe.valid_until).count());
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  return certificate;
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, FreedBy<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  REGFS_CHECK(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1,
              "OpenSSL does not take the extension");
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  REGFS_CHECK(X509_sign(certificate, key, EVP_sha256()) > 0, "OpenSSL does not sign");
}

}  // namespace

struct TestAuthority::Keys {
  Key key = new_key();
  Certificate certificate = unsigned_certificate(name_of_its_own(), key.get(), {});
};

TestAuthority::TestAuthority() : keys_(std::make_unique<Keys>()) {
  add_extension(keys_->certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  sign(keys_->certificate.get(), keys_->certificate.get(), keys_->key.get());
}

TestAuthority::~TestAuthority() = default;

std::string TestAuthority::certificate_pem() const {
  return pem_of(keys_->certificate.get());
}

ServerIdentity TestAuthority::issue(const IdentityRecipe& recipe) const {
  const Key key = new_key();
  const Certificate certificate = unsigned_certificate("a server of the tests", key.get(), recipe);
  add_extension(certificate.get(), NID_subject_alt_name, recipe.subject_name);
  sign(certificate.get(), keys_->certificate.get(), keys_->key.get());
  return {pem_of(certificate.get()), pem_of(key.get())};
}

}  // namespace regfs::test
