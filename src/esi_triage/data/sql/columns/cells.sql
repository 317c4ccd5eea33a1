-- cells: how a hospital's cells are read before the rules of MIMIC-IV-ED (../mimic_iv_ed/vitals.sql, pain.sql) clean them.
--
-- What     cell      trimmed, null where it only says that there is nothing.
--          plain     a number with a decimal comma or with its unit ("36,5", "98 %", "101.2 F") as a plain number; whatever
--                    else was typed stays as it is, and is counted as no number later.
--          systolic, diastolic   the two parts of "120/80"; without a slash the systolic alone.
-- Units    none are changed here; spo2 written as a fraction and temperatures are.

CREATE MACRO cell(typed) AS CASE
    WHEN lower(trim(typed)) NOT IN ('', 'null', 'none', 'na', 'n/a', 'nan', 'nat', 'unknown', 'unk', '-', '--', '.', '?')
        THEN trim(typed)
END;

CREATE MACRO plain(typed) AS regexp_replace(
    replace(cell(typed), ',', '.'), '^([+-]?[\d.]+)\s*(%|/\s?min|bpm|mm\s?hg|°?\s?[cf])$', '\1', 'i'
);

CREATE MACRO systolic(typed) AS plain(split_part(cell(typed), '/', 1));

CREATE MACRO diastolic(typed) AS plain(split_part(cell(typed), '/', 2))
