-- cells: how a hospital's cells are read before the rules of MIMIC-IV-ED (../mimic_iv_ed/vitals.sql, pain.sql) clean them.
--
-- What     cell      trimmed, null where it only says that there is nothing.
--          plain     a number with a decimal comma or with a unit of its own ("36,5", "98 %", "101.2 F") as a plain number;
--                    whatever else was typed ("37 °C" for a heart rate) stays as it is, and is counted as no number later.
--          systolic, diastolic   the two parts of "120/80"; without a slash the systolic alone.
-- Units    none are changed here; spo2 written as a fraction and temperatures are.

CREATE MACRO cell(typed) AS CASE
    WHEN lower(trim(typed)) NOT IN ('', 'null', 'none', 'na', 'n/a', 'nan', 'nat', 'unknown', 'unk', '-', '--', '.', '?')
        THEN trim(typed)
END;

CREATE MACRO plain(typed, units) AS regexp_replace(
    replace(cell(typed), ',', '.'), '^([+-]?[\d.]+)\s*(' || units || ')$', '\1', 'i'
);

CREATE MACRO systolic(typed) AS plain(split_part(cell(typed), '/', 1), 'mm\s?hg');

CREATE MACRO diastolic(typed) AS plain(split_part(cell(typed), '/', 2), 'mm\s?hg');
