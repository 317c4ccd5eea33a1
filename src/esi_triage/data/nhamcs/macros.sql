-- macros: how a cell of a release is read. Cells are text; what they hold are numbers and codes.
--
-- What     number: a finite number. measured: a number that is no code for "missing". is_text: something that is no number.
--          coded: what a code stands for (codes.toml; each table of it is a variable). why: the code of `quality` for a
--          cell whose cleaned value is null although something stands in it.

CREATE MACRO number(cell) AS CASE WHEN isfinite(TRY_CAST(cell AS DOUBLE)) THEN TRY_CAST(cell AS DOUBLE) END;
CREATE MACRO measured(cell) AS CASE WHEN NOT list_contains(getvariable('missing'), number(cell)) THEN number(cell) END;
CREATE MACRO is_text(cell) AS nullif(trim(cell), '') IS NOT NULL AND number(cell) IS NULL;
CREATE MACRO within(cell, low, high) AS CASE WHEN measured(cell) BETWEEN low AND high THEN measured(cell) END;
CREATE MACRO whole(cell) AS CASE WHEN number(cell) >= 0 AND number(cell) < 1e9 AND number(cell) = floor(number(cell))
    THEN CAST(number(cell) AS BIGINT) END;
CREATE MACRO flag(cell) AS CASE number(cell) WHEN 1 THEN true WHEN 0 THEN false END;
CREATE MACRO why(name, cell, cleaned) AS CASE
    WHEN is_text(cell) THEN 'not-a-number-' || name
    WHEN measured(cell) IS NULL OR cleaned IS NOT NULL THEN NULL
    WHEN measured(cell) = 998 AND name IN ('heart_rate', 'sbp', 'dbp') THEN 'doppler-' || name
    WHEN measured(cell) = 0 AND name IN ('heart_rate', 'resp_rate', 'sbp') THEN 'zero-' || name
    ELSE 'implausible-' || name
END;
CREATE MACRO why_coded(name, cell, meaning) AS
    CASE WHEN is_text(cell) OR (measured(cell) IS NOT NULL AND meaning IS NULL) THEN 'unknown-code-' || name END;
