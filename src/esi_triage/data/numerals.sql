-- numerals: text as a number, in plain digits alone. TRY_CAST also takes 1_0 (for 10), nan and infinity.

CREATE OR REPLACE MACRO numeral(typed) AS CASE
    WHEN regexp_full_match(trim(typed), '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?') THEN TRY_CAST(typed AS DOUBLE)
END;
