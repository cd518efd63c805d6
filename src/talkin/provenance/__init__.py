"""Provenance: who agreed to what, and what was made of it.

- `consent`: the consent register (`read_consent`, `require_consent`, `ConsentRegister`).
- `tracing`: what was derived from a speaker (`derived_from`); `traced_tables` reads what tells.
- `signing`: who signs (`SigningConfig`, `load_identity`); `self_signed` makes the local pair.
- `credentials`: C2PA manifests of edited files (`EditCredential`, `signed_when_whole`,
  `sign_edit`).
- `verification`: what a manifest says and whether it holds (`verify`); `statement`
  takes it apart.
- `watermark`: the invisible mark that outlives re-encoding (`Watermark`, `detect`).
"""
