-- rules: each cleaning rule, how many of the kept rows it touched, and why it is there.
--
-- What     one row a rule. Counted over the rows of the case table, so that a rule's count can be held against its size.
-- Source   reasons and known counts: MIMIC-IV-ED documentation (triage), mimic-code issues 1063 and 1340, mimic4ed-benchmark.

WITH kept AS (SELECT * FROM visits WHERE problem IS NULL),

counts AS (
    SELECT
        count(*) FILTER (temperature_typed BETWEEN $temperature_c_low AND $temperature_c_high) AS temperature_was_celsius,
        count(*) FILTER (temperature_typed IS NOT NULL AND temperature_c IS NULL)         AS temperature_out_of_range,
        count(*) FILTER (heart_rate_typed = 0)                                            AS heart_rate_zero,
        count(*) FILTER (heart_rate_typed <> 0 AND heart_rate IS NULL)                    AS heart_rate_out_of_range,
        count(*) FILTER (resp_rate_typed = 0)                                             AS resp_rate_zero,
        count(*) FILTER (resp_rate_typed <> 0 AND resp_rate IS NULL)                      AS resp_rate_out_of_range,
        count(*) FILTER (spo2_typed IS NOT NULL AND spo2 IS NULL)                         AS spo2_out_of_range,
        count(*) FILTER (sbp_typed = 0)                                                   AS sbp_zero,
        count(*) FILTER (sbp_typed <> 0 AND sbp_in_range IS NULL)                         AS sbp_out_of_range,
        count(*) FILTER (dbp_typed IS NOT NULL AND dbp_in_range IS NULL)                  AS dbp_out_of_range,
        count(*) FILTER (dbp_in_range >= sbp_in_range)                                    AS dbp_not_below_sbp,
        count(*) FILTER (words > 0)                                                       AS vital_sign_not_a_number,
        count(*) FILTER (is_letter_o)                                                     AS pain_letter_o,
        count(*) FILTER (is_span AND pain IS NOT NULL)                                    AS pain_span,
        count(*) FILTER (is_above_10)                                                     AS pain_above_10,
        count(*) FILTER (pain_raw IS NOT NULL AND pain IS NULL AND NOT coalesce(is_above_10, false)) AS pain_in_words,
        count(*) FILTER (pain_word IS NOT NULL)                                           AS pain_word_known,
        count(*) FILTER (over_age IS NOT NULL)                                            AS age_over_89,
        count(*) FILTER (age_typed IS NOT NULL AND age_years IS NULL)                     AS age_out_of_range,
        count(*) FILTER (is_stay_unknown)                                                 AS stay_not_in_edstays
    FROM kept
)

SELECT c.rule, c.n, r.reason
FROM (UNPIVOT counts ON COLUMNS(*) INTO NAME rule VALUE n) AS c
JOIN (VALUES
    ('temperature_was_celsius', 'typed in Celsius in a Fahrenheit field: told apart by range, kept'),
    ('temperature_out_of_range', 'neither a Fahrenheit nor a Celsius body temperature: null'),
    ('heart_rate_zero', 'may be an arrest, may be a typing error: null, tagged zero:heart_rate'),
    ('heart_rate_out_of_range', 'outside what a patient can show: null'),
    ('resp_rate_zero', 'may be an arrest, may be a typing error: null, tagged zero:resp_rate'),
    ('resp_rate_out_of_range', 'outside what a patient can show: null'),
    ('spo2_out_of_range', 'outside what a patient can show: null'),
    ('sbp_zero', 'may be an arrest, may be a typing error: null, tagged zero:sbp'),
    ('sbp_out_of_range', 'outside what a patient can show: null'),
    ('dbp_out_of_range', 'outside what a patient can show: null'),
    ('dbp_not_below_sbp', 'swapped, or one of the two mistyped, and nobody can tell which: both null'),
    ('vital_sign_not_a_number', 'a word in a field for a number: null'),
    ('pain_letter_o', 'the letter o for a zero: 0'),
    ('pain_span', 'two numbers, as in 7-8: their mean'),
    ('pain_above_10', 'above the scale (mostly 13, a placeholder): null, never clipped to 10'),
    ('pain_in_words', 'no number: null, kept as typed in pain_raw'),
    ('pain_word_known', 'a word with a known meaning, such as ett: tagged pain:intubated, pain:unable and so on'),
    ('age_over_89', 'the release gives no exact age above 89: told as "over 89", tagged age:over-89'),
    ('age_out_of_range', 'not between 0 and 125 years: null'),
    ('stay_not_in_edstays', 'no row in edstays: kept, without sex, arrival and age')
) AS r(rule, reason) ON r.rule = c.rule
ORDER BY ALL
