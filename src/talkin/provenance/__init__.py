"""Provenance: who agreed to what.

- `consent`: the consent register (`read_consent`, `require_consent`, `ConsentRegister`).
"""
