"""SAP: journal entries of S/4HANA, and the BAPI of ECC."""
