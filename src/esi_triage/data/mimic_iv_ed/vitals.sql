-- vitals: the rows of triage with their six measured signs, as typed (*_typed) and cleaned.
--
-- What     A number outside its range becomes null; it is never clipped, because a clipped number is an invented one, and
--          never filled in from the table vitalsign, which was measured later. Missing stays null.
-- Units    temperature_c °C, heart_rate and resp_rate per minute, spo2 %, sbp and dbp mmHg. Typed temperatures are °F,
--          now and then °C.
-- Source   MIMIC-IV-ED v2.2, table triage. The ranges are esi_triage.esi.VITAL_SIGNS ($sign_low, $sign_high).

CREATE TABLE vitals AS
WITH typed AS (
    SELECT
        source_row, stay_id, subject_id, chiefcomplaint, pain AS pain_typed, acuity AS acuity_typed,
        numeral(temperature) AS temperature_typed,
        numeral(heartrate)   AS heart_rate_typed,
        numeral(resprate)    AS resp_rate_typed,
        numeral(o2sat)       AS spo2_typed,
        numeral(sbp)         AS sbp_typed,
        numeral(dbp)         AS dbp_typed,
        -- how many cells hold something that is no number
        (nullif(trim(temperature), '') IS NOT NULL AND temperature_typed IS NULL)::INT
        + (nullif(trim(heartrate), '') IS NOT NULL AND heart_rate_typed IS NULL)::INT
        + (nullif(trim(resprate), '') IS NOT NULL AND resp_rate_typed IS NULL)::INT
        + (nullif(trim(o2sat), '') IS NOT NULL AND spo2_typed IS NULL)::INT
        + (nullif(trim(sbp), '') IS NOT NULL AND sbp_typed IS NULL)::INT
        + (nullif(trim(dbp), '') IS NOT NULL AND dbp_typed IS NULL)::INT AS words
    FROM triage
),

ranged AS (
    SELECT
        *,
        CASE WHEN sbp_typed BETWEEN $sbp_low AND $sbp_high THEN sbp_typed END AS sbp_in_range,
        CASE WHEN dbp_typed BETWEEN $dbp_low AND $dbp_high THEN dbp_typed END AS dbp_in_range
    FROM typed
)

SELECT
    *,
    -- A Fahrenheit field in which some typed Celsius: told apart by range before any conversion, since converting all of
    -- them turns 36.5 °C into 2.5 °C.
    CASE
        WHEN temperature_typed BETWEEN $temperature_c_low AND $temperature_c_high THEN temperature_typed
        WHEN (temperature_typed - 32) / 1.8 BETWEEN $temperature_c_low AND $temperature_c_high
            THEN round((temperature_typed - 32) / 1.8, 1)
    END AS temperature_c,
    CASE WHEN heart_rate_typed BETWEEN $heart_rate_low AND $heart_rate_high THEN heart_rate_typed END AS heart_rate,
    CASE WHEN resp_rate_typed BETWEEN $resp_rate_low AND $resp_rate_high THEN resp_rate_typed END AS resp_rate,
    CASE WHEN spo2_typed BETWEEN $spo2_low AND $spo2_high THEN spo2_typed END AS spo2,
    -- Swapped, or one of the two mistyped: which, nobody can tell, so neither is kept.
    CASE WHEN dbp_in_range >= sbp_in_range THEN NULL ELSE sbp_in_range END AS sbp,
    CASE WHEN dbp_in_range >= sbp_in_range THEN NULL ELSE dbp_in_range END AS dbp
FROM ranged
